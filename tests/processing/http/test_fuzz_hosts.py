"""Whatever a host answers is a JSON object that a row can hold, or a named error; no URL leads to an inner address.

`python -m bench.fuzz` tries more of both.
"""

import gzip
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.http import ForbiddenAddress, fetch_json
from processing.http.fetch import HostUnavailable
from processing.http.guard import check_form, check_url, host_of
from processing.http.json_values import UnusableJson, parse_object
from processing.http.pace import Pace
from tests.fuzzed_bodies import any_json
from tests.processing.http.addresses import LOOPBACK, MALFORMED, NAMES, NOT_PUBLIC
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, Answer, AnyServer, content, silence

pytestmark = pytest.mark.usefixtures("no_real_names")

CASES = int(os.environ.get("FUZZ_CASES", "300"))
_PATIENT: dict[str, Any] = {"database": None, "suppress_health_check": list(HealthCheck)}
_SHORT, _LONG = 0.1, 0.8  # seconds; the long one allows a second try


def _bodies() -> st.SearchStrategy[bytes]:
    text = any_json().map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
    objects = st.dictionaries(st.text(max_size=5), any_json(), max_size=4).map(lambda value: json.dumps(value).encode())
    deep = st.integers(1, 3000).map(lambda depth: b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    vast = st.sampled_from([b'{"a": [' + b"1," * 500_000 + b"1]}", b" " * (13 << 20), b'{"a": 1e999}'])
    return st.one_of(objects, objects, text, deep, st.binary(max_size=60), vast)


def _headers() -> st.SearchStrategy[Mapping[str, str]]:
    dates = st.sampled_from(["Fri, 31 Dec 9999 23:59:59 GMT", "Wed, 15 Jan 2025 19:00:00 GMT", "soon", "²"])
    pauses = st.one_of(st.integers(0, 1).map(str), st.integers(0).map(str), dates)
    others = {
        "Retry-After": pauses.map(lambda text: text.encode("latin-1", "replace").decode("latin-1")),
        "Content-Encoding": st.sampled_from(["gzip", "br", "x"]),
        "Content-Type": st.sampled_from(["text/html", "application/json"]),
        "Location": st.sampled_from(["http://127.0.0.1/", "//", "file:///etc/passwd"]),
    }
    return st.fixed_dictionaries({}, optional=others)


def _answers() -> st.SearchStrategy[Answer]:
    statuses = st.sampled_from([200, 200, 200, 200, 204, 302, 404, 410, 429, 503])
    packed = _bodies().map(lambda body: content(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"}))
    plain = st.builds(content, _bodies(), statuses, _headers(), st.sampled_from([0, 0, 0, 7]))
    return st.one_of(plain, plain, plain, packed, st.sampled_from([silence, SLOW_BODY, SLOW_HEADERS]))


def test_answer_is_an_object_that_a_row_can_hold_or_a_named_error() -> None:
    taken = []

    @settings(max_examples=CASES // 2, **_PATIENT)
    @given(
        answers=st.lists(_answers(), min_size=1, max_size=2),
        body=st.one_of(st.none(), st.just({"ids": ["S2B"]})),
        within=st.sampled_from([_SHORT, _SHORT, _SHORT, _LONG]),
        asks_again=st.booleans(),
        pace=st.one_of(st.none(), st.builds(Pace, st.sampled_from([0.0, 0.05]))),
    )
    def run(answers: list[Answer], **options: Any) -> None:
        with AnyServer(*answers) as server, suppress(HostUnavailable):
            value = fetch_json(f"{server.url}/search", frozenset({"127.0.0.1"}), **options)
            taken.append(json.dumps(value, allow_nan=False).encode())

    run()
    assert 0 < len(taken) < CASES // 2


def test_content_is_an_object_that_a_row_can_hold_or_refused() -> None:
    @settings(max_examples=CASES, **_PATIENT)
    @given(_bodies())
    def run(body: bytes) -> None:
        try:
            value = parse_object(body)
        except UnusableJson:
            return
        assert "\0" not in json.dumps(value, allow_nan=False, ensure_ascii=False).encode().decode()

    run()


def _urls() -> st.SearchStrategy[str]:
    hosts = st.one_of(
        st.sampled_from([*NAMES, *LOOPBACK, *NOT_PUBLIC]), st.text(max_size=12), st.ip_addresses().map(str)
    )
    ports = st.sampled_from(["", ":443", ":8443", ":0", ":x", ":99999"])
    schemes = st.sampled_from(["https", "https", "https", "http", "ftp", "HTTPS"])
    return st.one_of(st.builds("{}://{}{}/path".format, schemes, hosts, ports), st.sampled_from(MALFORMED))


def test_no_url_leads_to_an_address_that_is_not_public(connections: list[tuple[str, int]]) -> None:
    @settings(max_examples=CASES, **_PATIENT)
    @given(_urls())
    def run(url: str) -> None:
        for check in (check_form, check_url):
            with suppress(ForbiddenAddress):
                check(url, frozenset())
        with pytest.raises(HostUnavailable) as refused:
            fetch_json(url, frozenset(), within=1)
        assert str(refused.value).startswith(host_of(url))
        assert all(ip_address(host).is_global for host, _ in connections), url

    run()
