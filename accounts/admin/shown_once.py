"""The page with secrets that nobody can read again."""

from collections.abc import Sequence

from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def shown_once(
    request: HttpRequest, title: str, secrets: Sequence[tuple[str, str]], refused: Sequence[str] = ()
) -> HttpResponse:
    """`secrets` are (whose it is, the secret), `refused` sentences about what has none."""
    shown = {"title": title, "secrets": secrets, "refused": refused}
    context = {**site.each_context(request), **shown}
    return TemplateResponse(request, "admin/accounts/shown_once.html", context)
