"""Bodies of a submit that are not JSON, too large, or hold what no database can store."""

import io
import json

import pytest
from rest_framework.test import APIClient

from astra.exceptions import InvalidRequest
from astra.parsing import BoundedJSONParser
from tests.processing.jobs import EXAMPLE, URL
from tests.processing.submits import assert_refused, post_raw

LIMIT = 64 * 1024

BROKEN = {
    "nothing": b"",
    "cut off": b'{"operation": "ndvi"',
    "two documents": b"{}{}",
    "not UTF-8": b'{"operation": "\xff\xfe"}',
    "single quotes": b"{'operation': 'ndvi'}",
    "a field twice": b'{"operation": "ndvi", "operation": "ndvi"}',
    "a param twice": b'{"params": {"colormap": "greens", "colormap": "viridis"}}',
    "NaN": b'{"params": {"colormap": NaN}}',
    "Infinity": b'{"params": {"colormap": Infinity}}',
    "-Infinity": b'{"params": {"colormap": -Infinity}}',
    "1e999": b'{"params": {"colormap": 1e999}}',
    "-1e999": b'{"params": {"colormap": -1e999}}',
    "5000 digits": b'{"params": {"colormap": ' + b"9" * 5000 + b"}}",
    "NUL": b'{"webhook_url": "https://example.com/\\u0000"}',
    "NUL in a name": b'{"a\\u0000": 1}',
    "half a surrogate pair": b'{"webhook_url": "https://example.com/\\ud800"}',
    "half a surrogate pair in a name": b'{"a\\udfff": 1}',
    "half a surrogate pair deep inside": b'{"params": {"a": [[{"b": "\\ud83d"}]]}}',
    "nesting 34 deep": b"[" * 34 + b"]" * 34,
    "nesting 30000 deep": b"[" * 30_000 + b"]" * 30_000,
    "nesting 60000 deep, never closed": b"[" * 60_000,
    "nesting 10000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_body_that_is_not_json_or_not_storable_is_refused(api: APIClient, body: bytes) -> None:
    assert_refused(post_raw(api, body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_parser_refuses_what_is_not_json_or_not_storable(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        BoundedJSONParser().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    "body", [b'{"a": "\\ud83c\\udf33 \xc3\xa9"}', b"[" * 32 + b"]" * 32, b"1.5e3", b'{"a": {"b": 1}, "b": {"a": 1}}']
)
def test_parser_accepts_all_other_json(body: bytes) -> None:
    assert BoundedJSONParser().parse(io.BytesIO(body)) == json.loads(body)


def test_body_of_64_kib_is_accepted_and_a_larger_one_answers_413(api: APIClient) -> None:
    body = json.dumps(EXAMPLE).encode()
    assert_refused(post_raw(api, body.ljust(LIMIT + 1)), 413, "PAYLOAD_TOO_LARGE")
    assert_refused(post_raw(api, b"[" * 100_000 + b"]" * 100_000), 413, "PAYLOAD_TOO_LARGE")
    assert post_raw(api, body.ljust(LIMIT)).status_code == 202


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"],
)
def test_other_content_types_answer_415(api: APIClient, content_type: str) -> None:
    answer = post_raw(api, json.dumps(EXAMPLE).encode(), content_type)
    assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_type_may_have_parameters_and_capitals(api: APIClient, content_type: str) -> None:
    assert post_raw(api, json.dumps(EXAMPLE).encode(), content_type).status_code == 202


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"operation": "ndvi"', "a comma or a closing bracket is missing, at line 1, column 21."),
        (b'{"operation":\n  ndvi}', "a value is missing, or is none that JSON has, at line 2, column 3."),
        (b'{"operation" "ndvi"}', "a colon is missing after a name, at line 1, column 14."),
        (b"{'operation': 1}", "a name in double quotes is missing, at line 1, column 2."),
        (b'["a]', "a string does not end, at line 1, column 2."),
        (b'["\\x"]', "a backslash begins no escape that JSON has, at line 1, column 3."),
        (
            b'["a\nb"]',
            "a string holds a control character, such as a line break, that is not escaped, ",
        ),
        (b"{}\n{}", "something follows the end of the value, at line 2, column 1."),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark, at line 1, column 1."),
        (b"[1, NaN]", "NaN is no number that JSON has."),
        (b"[1e400]", "The body holds a number that is too large: 1e400."),
        (b"9" * 5000, "The body holds a number that is too long: 5000 digits"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', 'An object of the body names "c" twice.'),
        (b'"\xff"', "The body is not UTF-8: byte 1 belongs to no character."),
    ],
)
def test_fault_of_a_body_is_named_with_its_place(api: APIClient, body: bytes, said: str) -> None:
    error = assert_refused(post_raw(api, body), 400, "VALIDATION_ERROR")
    assert said in error["message"]
    (fault,) = error["details"]["errors"]
    assert (fault["parameter"], fault["message"]) == ("", error["message"])


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip", "x"])
def test_compressed_body_answers_415(api: APIClient, coding: str) -> None:
    body = json.dumps(EXAMPLE)
    answer = api.generic("POST", URL, body, content_type="application/json", headers={"Content-Encoding": coding})
    error = assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "Content-Encoding" in error["message"]


def test_body_with_the_coding_identity_is_read(api: APIClient) -> None:
    headers = {"Content-Encoding": "identity"}
    answer = api.generic("POST", URL, json.dumps(EXAMPLE), content_type="application/json", headers=headers)
    assert answer.status_code == 202
