from django.urls import path

from . import views

urlpatterns = [
    path("readyz", views.Readiness.as_view(), name="ready"),
    path("metrics", views.Metrics.as_view(), name="metrics"),
]
