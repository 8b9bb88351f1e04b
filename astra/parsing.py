"""Request bodies: JSON only, bounded in size and depth, without characters that a database refuses."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from .exceptions import ApiError, Problem

_MAX_DEPTH = 32


class BoundedJSONParser(BaseParser):
    """Raises ApiError or ParseError. The content can be stored."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise ApiError(Problem.PAYLOAD_TOO_LARGE)
        try:
            content = json.loads(
                body.decode(),
                object_pairs_hook=_without_repeats,
                parse_constant=_refuse_constant,
                parse_float=_finite,
            )
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        _check_storable(content, depth=0)
        return content


class AlwaysJSON(BaseContentNegotiation):
    """The API answers in JSON only, so the Accept header is not read."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), "application/json"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object names a field twice")
    return content


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError(f"{digits} is too large")
    return value


def _check_storable(content: Any, depth: int) -> None:
    """Refuse what a database refuses, NUL and lone surrogates, and deep nesting, which no field needs."""
    if depth > _MAX_DEPTH:
        raise ParseError("The body is nested too deeply.")
    if isinstance(content, str) and ("\0" in content or any("\ud800" <= char <= "\udfff" for char in content)):
        raise ParseError("The body holds a character that is not text (NUL or half of a surrogate pair).")
    if isinstance(content, dict):
        content = [*content.keys(), *content.values()]
    if isinstance(content, list):
        for part in content:
            _check_storable(part, depth + 1)
