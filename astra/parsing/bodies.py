"""Request bodies: JSON only, bounded in size and depth, without characters that a database refuses."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from ..exceptions import ApiError, Fault, InvalidRequest, Problem
from .json_sentences import sentence_of
from .queries import is_odd

_MAX_DEPTH = 32
_MAX_DIGITS = 4000  # Python itself reads some more
_TOO_DEEP = "The body is nested too deeply."


class BoundedJSONParser(BaseParser):
    """Raises ApiError. The content can be stored."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise ApiError(Problem.PAYLOAD_TOO_LARGE)
        content = _read(_decoded(body))
        _check_storable(content, depth=0)
        return content


class AlwaysJSON(BaseContentNegotiation):
    """The API answers in JSON only, so the Accept header is not read."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if coding != "identity":
            raise ApiError(Problem.UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without a Content-Encoding.")
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return next(iter(renderers)), "application/json"


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        _refuse(f"The body is not UTF-8: byte {error.start} belongs to no character.")


def _read(text: str) -> Any:
    """Raises InvalidRequest, which says where the text stops being JSON."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except RecursionError:
        _refuse(_TOO_DEEP)
    except json.JSONDecodeError as error:
        _refuse(f"The body is not valid JSON: {sentence_of(error)}", text[error.pos :] or None)


def _refuse(message: str, received: Any = None) -> NoReturn:
    raise InvalidRequest([Fault(parameter="", message=message, received=received)])


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        _refuse(f"An object of the body names {json.dumps(name[:40])} twice.")
    return content


def _refuse_constant(constant: str) -> NoReturn:
    _refuse(f"The body is not valid JSON: {constant} is no number that JSON has.")


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        _refuse(f"The body holds a number that is too large: {digits[:40]}.")
    return value


def _short(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        _refuse(f"The body holds a number that is too long: {len(digits)} digits; {_MAX_DIGITS} are the most.")
    return int(digits)


def _check_storable(content: Any, depth: int) -> None:
    """Refuse what a database refuses, NUL and lone surrogates, and deep nesting, which no field needs."""
    if depth > _MAX_DEPTH:
        _refuse(_TOO_DEEP)
    if isinstance(content, str) and is_odd(content):
        _refuse("The body holds a character that is not text (NUL or half of a surrogate pair).")
    if isinstance(content, dict):
        content = [*content.keys(), *content.values()]
    if isinstance(content, list):
        for part in content:
            _check_storable(part, depth + 1)
