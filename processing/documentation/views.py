"""The pages as they are sent: this instance's address filled in."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import escape
from django.views import View

from ..links import origin_of
from .code_blocks import HOST
from .contents import Page, all_pages, contents
from .links import resolve
from .markdown import Section, part_of, sections
from .operation_page import about
from .tables import tables

_READ_ONLY = ["get", "head", "options"]
_HOME = Page(slug="", title="ASTRA Processing", summary="", source=Path("docs/pages/home.md"))


class PageView(View):
    http_method_names = _READ_ONLY

    def get(self, request: HttpRequest, slug: str = "") -> HttpResponse:
        page = next((each for each in all_pages() if each.slug == slug), None)
        if page is None:
            return render(request, "docs/missing.html", {"contents": contents()}, status=404)
        context = {"page": page, "contents": contents(), "sections": _sections(page), **tables(page, request)}
        return _filled_in(request, page.template, context)


class Home(View):
    http_method_names = _READ_ONLY

    def get(self, request: HttpRequest) -> HttpResponse:
        return _filled_in(request, "docs/home.html", {"page": _HOME, "sections": _sections(_HOME)})


def _filled_in(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    html = render_to_string(template, context, request)
    return HttpResponse(html.replace(HOST, str(escape(origin_of(request)))))


@cache
def _sections(page: Page) -> list[Section]:
    text = part_of(page.text, page.part) if page.part else page.text
    if page.operation:
        text = render_to_string("docs/operation.txt", about(page.operation)) + text
    return sections(text, partial(resolve, page), code_aside=page.code_aside)
