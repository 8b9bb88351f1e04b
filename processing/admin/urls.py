"""Pages of the admin that belong to no single model. They stand before those of Django's own site."""

from django.contrib.admin import site
from django.urls import path

from .failures import failures_page, retry_group
from .front_page import front_page

urlpatterns = [
    path("", site.admin_view(front_page), name="front-page"),
    path("failures/", site.admin_view(failures_page), name="failures"),
    path("failures/retry/", site.admin_view(retry_group), name="retry-group"),
]
