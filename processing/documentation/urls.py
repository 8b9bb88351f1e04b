from django.urls import path, re_path
from django.views.generic import RedirectView

from . import views

_SLUG = r"[a-z0-9_-]+(?:/[a-z0-9_-]+)*"

urlpatterns = [
    path("", views.Home.as_view(), name="home"),
    path("docs/", views.PageView.as_view(), name="docs"),
    re_path(rf"^docs/(?P<slug>{_SLUG})/$", views.PageView.as_view(), name="docs-page"),
    re_path(rf"^(?P<path>docs(?:/{_SLUG})?)$", RedirectView.as_view(url="/%(path)s/")),
]
