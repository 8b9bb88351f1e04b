"""JSON that other hosts send: only what a row can hold, an answer can show, and memory can bear."""

import json
import math
from typing import Any

MOST_BYTES = 12 << 20
# Objects, lists and the values in them. Python needs 100 to 200 bytes for each.
_MOST_VALUES = 400_000
_SEPARATORS = (b",", b"{", b"[")
_DEEPEST = 32
_LONGEST_TEXT = 1 << 14
_MOST_DIGITS = 30


class UnusableJson(ValueError):
    """Why the content is not taken. The text ends a sentence that begins with the host."""


def parse_object(content: bytes) -> dict[str, Any]:
    """The JSON object that `content` is. Raises UnusableJson."""
    if len(content) > MOST_BYTES or sum(map(content.count, _SEPARATORS)) > _MOST_VALUES:
        raise UnusableJson("sends more than an answer can be")
    try:
        value = json.loads(content, parse_constant=_refuse, parse_float=_finite, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise UnusableJson("does not answer in JSON") from error
    if not isinstance(value, dict):
        raise UnusableJson("does not answer with a JSON object")
    _check(value)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError("a number is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("a number is too long")
    return int(digits)


def _check(value: Any) -> None:
    """Raise UnusableJson for nesting, texts and characters that nothing in a catalogue needs."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return
    raise UnusableJson("answers in JSON that is nested too deeply")


def _parts(value: Any) -> list[Any]:
    match value:
        case dict():
            return [*value.keys(), *value.values()]
        case list():
            return value
        case str():
            _check_text(value)
    return []


def _check_text(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise UnusableJson("answers with a text that is too long")
    if "\0" in text or not (text.isascii() or _is_unicode(text)):
        raise UnusableJson("answers with characters that are not text")


def _is_unicode(text: str) -> bool:
    """False for half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
