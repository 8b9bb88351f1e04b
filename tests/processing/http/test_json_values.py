"""What is taken of the JSON that a host sends: all that a catalogue may need, nothing that a row cannot hold."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.http.json_values import MOST_BYTES, UnusableJson, parse_object

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_proper_json_is_taken_as_it_is(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value).encode()) == value
    assert parse_object(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'{"a": NaN}', "does not answer in JSON"),
        (b'{"a": [-Infinity]}', "does not answer in JSON"),
        (b'{"a": 1e999}', "does not answer in JSON"),
        (b'{"a": ' + b"9" * 400 + b"}", "does not answer in JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "does not answer in JSON"),
        (b'{"a": "\\u0000"}', "characters that are not text"),
        (b'{"\\u0000": 1}', "characters that are not text"),
        (b'{"a": "\xc3\xa9\\u0000"}', "characters that are not text"),
        (b'{"a": "\\ud800"}', "characters that are not text"),
        (b'{"a": ["\\udfffx"]}', "characters that are not text"),
        (b'{"a": "\xff"}', "does not answer in JSON"),
        (b'{"a": "\xed\xa0\x80"}', "characters that are not text"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "too long"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "does not answer in JSON"),
        (b'{"a": [' + b"0," * 500_000 + b"0]}", "more than an answer can be"),
        (b" " * (MOST_BYTES + 1), "more than an answer can be"),
        (b"", "does not answer in JSON"),
        (b"[]", "JSON object"),
        (b"<html>", "does not answer in JSON"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_what_no_row_can_hold_is_refused(content: bytes, fault: str) -> None:
    with pytest.raises(UnusableJson, match=fault):
        parse_object(content)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f'{{"a": "{text}"}}'.encode(errors="replace")))
def test_whatever_a_host_sends_is_an_object_or_refused(content: bytes) -> None:
    try:
        value = parse_object(content)
    except UnusableJson:
        return
    json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":[' + b'{"":0.1},' * 190_000 + b"0]}",
        b'{"a":[' + b"[]," * 190_000 + b"0]}",
        ('{"a":["\N{GRINNING FACE}' + '","'.join(["x" * 16_000] * 700) + '"]}').encode(),
    ],
    ids=["objects", "lists", "wide characters"],
)
def test_no_answer_costs_more_than_200_megabytes(content: bytes) -> None:
    tracemalloc.start()
    try:
        parse_object(content)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
