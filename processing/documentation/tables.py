"""The tables of the pages that are made from the code and the settings, by the templates that show them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .contents import Page
from .error_table import error_table
from .links import resolve
from .markdown import inline
from .operation_page import about
from .reference import endpoints


def tables(page: Page, request: HttpRequest) -> dict[str, Any]:
    """What the page's template needs beside its text."""
    if page.operation:
        return {"about": about(page.operation)}
    return _TABLES[page.template](page, request) if page.template in _TABLES else {}


def _errors(page: Page, request: HttpRequest) -> dict[str, Any]:
    html = partial(inline, resolve=partial(resolve, page))
    return {"errors": [{"row": row, "when": html(row.when), "advice": html(row.advice)} for row in error_table()]}


def _plans(page: Page, request: HttpRequest) -> dict[str, Any]:
    return {"plans": settings.PLAN_LIMITS.items()}


def _reference(page: Page, request: HttpRequest) -> dict[str, Any]:
    return {"endpoints": endpoints(request)}


_TABLES: dict[str, Callable[[Page, HttpRequest], dict[str, Any]]] = {
    "docs/errors.html": _errors,
    "docs/plans.html": _plans,
    "docs/reference.html": _reference,
}
