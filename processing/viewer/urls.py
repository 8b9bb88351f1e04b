from django.urls import path

from .views import Viewer

urlpatterns = [path("view/<str:job_id>", Viewer.as_view(), name="viewer")]
