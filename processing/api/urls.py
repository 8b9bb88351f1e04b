from django.urls import path

from . import views
from .schema import OpenApiDocument
from .webhook_test import WebhookTest

urlpatterns = [
    path("api/v1/process", views.JobList.as_view(), name="jobs"),
    path("api/v1/process/<str:job_id>", views.JobDetail.as_view(), name="job"),
    path("api/v1/process/<str:job_id>/events", views.JobEvents.as_view(), name="events"),
    path("api/v1/process/<str:job_id>/item", views.JobItem.as_view(), name="item"),
    path("api/v1/process/<str:job_id>/result", views.JobResult.as_view(), name="result"),
    path("api/v1/scenes/<str:scene_id>", views.SceneDetail.as_view(), name="scene"),
    path("api/v1/operations", views.OperationList.as_view(), name="operations"),
    path("api/v1/webhooks/test", WebhookTest.as_view(), name="webhook-test"),
    path("api/v1/openapi.json", OpenApiDocument.as_view(), name="openapi"),
    path("files/<path:key>", views.Download.as_view(), name="download"),
]
