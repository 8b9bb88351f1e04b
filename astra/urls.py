"""Every address of the service. Any other gets the API's own error envelope."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts.logins import login

from .views import Health, Missing

handler400 = handler403 = handler404 = handler500 = "astra.views.error_page"

admin.site.enable_nav_sidebar = False  # the list of jobs needs the room; the head has its links
urlpatterns = [
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", login),
    path("admin/", include("processing.admin.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}astra/icon.svg")),
    path("healthz", Health.as_view(), name="health"),
    path("", include("accounts.urls")),
    path("", include("processing.api.urls")),
    path("", include("processing.viewer.urls")),
    path("", include("processing.watch.urls")),
    path("", include("processing.documentation.urls")),
    re_path(r"", Missing.as_view()),
]
