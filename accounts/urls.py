from django.urls import path

from .views import AccountDetail

urlpatterns = [path("api/v1/account", AccountDetail.as_view(), name="account")]
