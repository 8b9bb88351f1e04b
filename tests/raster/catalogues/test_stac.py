"""What comes of a catalogue that fails, lies, dawdles or floods: a named outcome, in bounded time."""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from processing.http import fetch, recent, retry
from processing.raster.catalogues.providers import get_provider
from processing.raster.errors import ProviderUnavailable, RasterError, SceneNotFound
from processing.raster.radiometry.bands import reflectance_assets, resolve_band, resolve_mask
from processing.raster.scene_item import scene_item
from processing.raster.types import Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import (
    LOGIN_PAGE,
    SLOW_BODY,
    SLOW_BODY_OF_UNKNOWN_LENGTH,
    SLOW_HEADERS,
    Answer,
    AnyServer,
    as_json,
    content,
    drop_by_drop,
    endless,
    redirect,
    silence,
    status,
)
from tests.raster.support.served_catalogues import closed_root, find

PRODUCT = "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
ANOTHER = PRODUCT.replace("T32TPS", "T32TPT")
ITEM = {
    "type": "Feature",
    "id": "S2A_32TPS_20230602_0_L2A",
    "collection": "sentinel-2-l2a",
    "properties": {"s2:product_uri": f"{PRODUCT}.SAFE", "platform": "sentinel-2a", "datetime": "2023-06-02T10:18:03Z"},
    "assets": {"red": {"href": "https://files.example/B04.tif"}},
}
PAGE = {"type": "FeatureCollection", "features": [ITEM], "links": []}
FOUND, EMPTY = as_json(PAGE), as_json({"features": [], "links": []})


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of them in truth."""
    made: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", made.append)
    return made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits on time, only shorter."""
    monkeypatch.setattr(fetch, "_TIMEOUT", (1.0, 0.4))
    monkeypatch.setattr(fetch, "_LONGEST_ANSWER", 1.0)
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))


@contextmanager
def unavailable(server: AnyServer, seconds: float = 10.0) -> Iterator[pytest.ExceptionInfo[ProviderUnavailable]]:
    """What is done in it ends in PROVIDER_UNAVAILABLE that names the host, and soon."""
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable) as error:
        yield error
    assert time.monotonic() - started < seconds
    assert error.value.details["host"] == server.host
    assert server.host in error.value.message
    assert (error.value.code, error.value.retryable) == ("PROVIDER_UNAVAILABLE", True)


def sentinel_2(server: AnyServer, product: str = PRODUCT) -> Scene:
    return find("sentinel-2", product, server.url)


# --- Faults that may pass -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_catalogue_that_always_fails_is_asked_again_after_growing_pauses(naps: list[float], code: int) -> None:
    with AnyServer(status(code)) as server, unavailable(server) as error:
        sentinel_2(server)
    assert str(code) in error.value.message
    assert 3 <= len(server.asked) <= 6
    assert len(naps) == len(server.asked) - 1
    assert naps == sorted(set(naps))
    assert 0 < sum(naps) < 30


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_catalogue_that_fails_twice_is_asked_until_it_answers(naps: list[float], code: int) -> None:
    with AnyServer(status(code), status(code), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM["id"]
    assert len(server.asked) == 3
    assert len({body for _, _, body in server.asked}) == 1


def test_pause_is_as_long_as_the_catalogue_asks_for(naps: list[float]) -> None:
    with AnyServer(status(429, Retry_After="3"), status(503, Retry_After="4"), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM["id"]
    assert len(naps) == 2
    assert (naps[0] >= 3, naps[1] >= 4, sum(naps) < 12) == (True, True, True)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("wait", ["61", "3600", "99999999999999"])
def test_catalogue_that_asks_for_more_patience_is_left_alone_at_once(naps: list[float], code: int, wait: str) -> None:
    with AnyServer(status(code, Retry_After=wait)) as server, unavailable(server) as error:
        sentinel_2(server)
    assert (len(server.asked), naps) == (1, [])
    assert error.value.details["retry_after"] == float(wait)


def test_catalogue_that_names_an_hour_is_left_alone_until_then(naps: list[float]) -> None:
    hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with AnyServer(status(429, Retry_After=hour)) as server, unavailable(server):
        sentinel_2(server)
    assert (len(server.asked), naps) == (1, [])


def test_patience_without_end_is_still_a_number_that_can_be_told(naps: list[float]) -> None:
    with AnyServer(status(429, Retry_After="9" * 400)) as server, unavailable(server) as error:
        sentinel_2(server)
    assert json.loads(json.dumps(error.value.details, allow_nan=False))["host"] == server.host


@pytest.mark.parametrize("wait", ["", "soon", "-5", "1.5", "1e9", "\u00b2", "Thu, 01 Jan 1970 00:00:00 GMT", "0"])
def test_senseless_patience_counts_as_none(naps: list[float], wait: str) -> None:
    with AnyServer(status(429, Retry_After=wait), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM["id"]
    assert len(server.asked) == 2
    assert sum(naps) < 10


def test_answer_that_breaks_off_is_asked_for_again(naps: list[float]) -> None:
    with AnyServer(content(b'{"features": [', cut=100), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM["id"]
    assert len(server.asked) == 2


def test_catalogue_at_which_nobody_listens_is_unavailable(naps: list[float]) -> None:
    root = closed_root()
    with pytest.raises(ProviderUnavailable) as error:
        find("sentinel-2", PRODUCT, root)
    assert error.value.details["host"] == root.removeprefix("http://")
    assert 2 <= len(naps) <= 5


def test_catalogue_that_never_answers_is_unavailable(impatient: None) -> None:
    with AnyServer(silence) as server, unavailable(server):
        sentinel_2(server)
    assert len(server.asked) == 2


# --- Faults that stay -----------------------------------------------------------------------------------------------

HTML, JSON, GZIP = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}
NO_PAGES: dict[str, Answer] = {
    "nothing": content(b""),
    "garbage": content(bytes(range(256)) * 40),
    "no JSON": content(b"certainly not JSON"),
    "login page": content(LOGIN_PAGE, headers=HTML),
    "login page that says it is JSON": content(LOGIN_PAGE, headers=JSON),
    "not UTF-8": content(b'{"features": ["\xff\xfe"]}'),
    "NaN": content(b"NaN"),
    "a list": as_json([]),
    "a number": as_json(17),
    "null": as_json(None),
    "an item": as_json(ITEM),
    "an empty object": as_json({}),
    "no list of features": as_json({"features": None}),
    "a number of features": as_json({"features": 5}),
    "features that are none": as_json({"features": [None]}),
    "features without anything": as_json({"features": [{}]}),
    "id that is a number": as_json({"features": [{**ITEM, "id": 5}]}),
    "no properties": as_json({"features": [{**ITEM, "properties": None}]}),
    "listed properties": as_json({"features": [{**ITEM, "properties": []}]}),
    "no assets": as_json({"features": [{**ITEM, "assets": None}]}),
    "listed assets": as_json({"features": [{**ITEM, "assets": [{}]}]}),
    "asset that is none": as_json({"features": [{**ITEM, "assets": {"red": None}}]}),
    "no links": as_json({"features": [], "links": None}),
    "links that are none": as_json({"features": [], "links": [None]}),
    "list nested without end": content(b"[" * 200_000),
    "nested without end": content(b'{"features":' * 200_000),
    "features nested deeply": content(b'{"features": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    **{str(code): status(code) for code in (201, 204, 400, 401, 403, 404, 405, 418, 501)},
}


@pytest.mark.parametrize("name", [PRODUCT, PRODUCT[:26]], ids=["by id", "by time"])
@pytest.mark.parametrize("kind", sorted(NO_PAGES))
def test_answer_that_is_no_page_of_items_is_named_at_once(naps: list[float], kind: str, name: str) -> None:
    with AnyServer(NO_PAGES[kind]) as server, unavailable(server):
        sentinel_2(server, name)
    assert (len(server.asked), naps) == (1, [])


def test_redirect_is_not_followed(naps: list[float]) -> None:
    for code in (301, 302, 303, 307, 308):
        with AnyServer(FOUND) as elsewhere, AnyServer(redirect(f"{elsewhere.url}/search", code)) as server:
            with unavailable(server):
                sentinel_2(server)
            assert (len(server.asked), elsewhere.asked) == (1, [])


def test_broken_compression_is_named(naps: list[float]) -> None:
    with AnyServer(content(b"\x1f\x8b" + b"x" * 50, headers=GZIP)) as server, unavailable(server):
        sentinel_2(server)


def test_flood_is_cut_off_at_the_limit(naps: list[float]) -> None:
    with AnyServer(endless) as server, unavailable(server, seconds=20):
        sentinel_2(server)
    assert len(server.asked) == 1
    assert server.bytes_sent < 64 << 20


def test_answer_that_swells_when_unpacked_is_cut_off_at_the_limit(naps: list[float]) -> None:
    bomb = gzip.compress(b" " * (100 << 20), 1)
    with AnyServer(content(bomb, headers=GZIP)) as server, unavailable(server, seconds=20):
        sentinel_2(server)
    assert len(server.asked) == 1


SLOW = {
    "body": SLOW_BODY,
    "body of unknown length": SLOW_BODY_OF_UNKNOWN_LENGTH,
    "chunks": drop_by_drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"),
    "headers": SLOW_HEADERS,
    "status": drop_by_drop(b"HTTP/1.1 200 "),
}


@pytest.mark.parametrize("kind", sorted(SLOW))
def test_answer_of_one_byte_at_a_time_is_given_up(impatient: None, kind: str) -> None:
    """Each byte comes in time, but all together they may not take longer than an answer may."""
    with AnyServer(SLOW[kind]) as server, unavailable(server, seconds=5):
        sentinel_2(server)


def test_host_that_may_not_be_reached_is_not_asked(naps: list[float]) -> None:
    with AnyServer(FOUND) as server:
        config = config_for(roots={"sentinel-2": [server.url]})
        with unavailable(server):
            get_provider("sentinel-2").find(
                SceneId(provider="sentinel-2", original_id=PRODUCT), config.catalogues, config.network
            )
        assert (server.asked, naps) == ([], [])


# --- Items of which something is wrong ------------------------------------------------------------------------------


def with_asset(**asset: Any) -> dict[str, Any]:
    return {**ITEM, "assets": {"red": {"href": "https://files.example/B04.tif", **asset}}}


def with_properties(**properties: Any) -> dict[str, Any]:
    return {**ITEM, "properties": {**ITEM["properties"], **properties}}  # type: ignore[dict-item]


HALF_WRONG = {
    "alternate null": with_asset(alternate=None),
    "alternate listed": with_asset(alternate=[{"href": "s3://bucket/key.tif"}]),
    "alternate null in it": with_asset(alternate={"s3": None}),
    "alternate text": with_asset(alternate={"s3": "s3://bucket/key.tif"}),
    "alternate href number": with_asset(alternate={"s3": {"href": 5}}),
    "href number": with_asset(href=5),
    "href null": with_asset(href=None),
    "href list": with_asset(href=["https://files.example/B04.tif"]),
    "type number": with_asset(type=5),
    "roles text": with_asset(roles="data"),
    "roles number": with_asset(roles=1),
    "roles nested": with_asset(roles=[["data"]]),
    "raster:bands number": with_asset(**{"raster:bands": 1}),
    "eo:bands text": with_asset(**{"eo:bands": "red"}),
    "bands object": with_asset(bands={"name": "red"}),
    "nodata text": with_asset(nodata="none"),
    "nodata null": with_asset(nodata=None),
    "nodata list": with_asset(nodata=[0]),
    "scale text": with_asset(**{"raster:scale": "small"}),
    "offset object": with_asset(**{"raster:offset": {}}),
    "proj:code list": with_asset(**{"proj:code": []}),
    "product number": with_properties(**{"s2:product_uri": 5}),
    "platform null": with_properties(platform=None),
    "platform list": with_properties(platform=["sentinel-2a"]),
    "baseline number": with_properties(**{"s2:processing_baseline": 5.09}),
    "baseline list": with_properties(**{"s2:processing_baseline": []}),
    "datetime number": with_properties(datetime=5),
    "datetime text": with_properties(datetime="yesterday"),
    "datetime null": with_properties(datetime=None),
    "collection list": {**ITEM, "collection": []},
    "geometry text": {**ITEM, "geometry": "everywhere"},
}


@pytest.mark.parametrize("kind", sorted(HALF_WRONG))
def test_item_of_which_something_is_wrong_ends_in_no_error_without_a_name(naps: list[float], kind: str) -> None:
    with AnyServer(as_json({"features": [HALF_WRONG[kind]], "links": []})) as server, suppress(RasterError):
        scene = sentinel_2(server)
        assert set(reflectance_assets(scene)) <= {"red"}
        resolve_mask(scene)
        json.dumps(scene_item(scene), allow_nan=False)
        assert scene.datetime is None or scene.datetime.tzinfo is not None
        resolve_band(scene, "red")


def next_link(**link: Any) -> Answer:
    link = {"rel": "next", "method": "POST", "href": "https://elsewhere.example/search", "body": {"token": 1}, **link}
    return as_json({"features": [{**ITEM, "properties": {}}], "links": [link]})


def nested(depth: int) -> dict[str, Any]:
    return json.loads('{"a":' * depth + "1" + "}" * depth)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "link",
    [{"body": 5}, {"body": []}, {"body": "token"}, {"body": None}, {"merge": True, "body": 5}, {"merge": "yes"},
     {"method": 5}, {"method": None}, {"rel": ["next"]}, {"method": "GET", "href": 5},
     {"method": "GET", "href": None}, {"method": "GET", "href": "http://[::1"}, {"method": "GET", "href": "mailto:x"},
     {"method": "GET", "href": "\u0000 /\n"}, {"method": "GET", "href": ""}, {"body": nested(500), "merge": True}],
    ids=lambda link: json.dumps(link)[:40],
)  # fmt: skip
def test_link_to_the_next_page_that_is_none_ends_in_no_error_without_a_name(
    naps: list[float], link: dict[str, Any]
) -> None:
    with AnyServer(next_link(**link)) as server, pytest.raises((ProviderUnavailable, SceneNotFound)):
        sentinel_2(server)
    assert len(server.asked) <= 30


def test_pages_without_end_are_given_up(naps: list[float]) -> None:
    pages = [next_link(body={"token": number}, merge=True) for number in range(1000)]
    with AnyServer(*pages) as server, unavailable(server):
        sentinel_2(server, PRODUCT[:26])
    assert 2 <= len(server.asked) <= 50


def test_pages_without_end_are_given_up_by_get_too(naps: list[float]) -> None:
    pages = [next_link(method="GET", href=f"/search?page={number}") for number in range(1000)]
    with AnyServer(*pages) as server, unavailable(server):
        sentinel_2(server, PRODUCT[:26])
    assert 2 <= len(server.asked) <= 50


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_page_that_leads_to_itself_is_given_up(naps: list[float], method: str) -> None:
    with AnyServer(next_link(method=method)) as server, unavailable(server):
        sentinel_2(server, PRODUCT[:26])
    assert len(server.asked) <= 50


def test_next_pages_are_asked_of_the_same_host_with_what_was_asked_first(naps: list[float]) -> None:
    """A link may name any host; only the root that the operator chose is asked."""
    with AnyServer(next_link(body={"token": "two"}, merge=True), FOUND) as server:
        assert sentinel_2(server, PRODUCT[:26]).item_id == ITEM["id"]
    (_, first_path, first), (_, second_path, second) = server.asked
    assert first_path == second_path
    assert json.loads(second) == {**json.loads(first), "token": "two"}
    assert json.loads(first)["datetime"] == "2023-06-02T10:01:01Z/2023-06-02T11:06:01Z"


@pytest.mark.parametrize("host", ["", "https://elsewhere.example", "//elsewhere.example"])
@pytest.mark.parametrize("method", [{"method": "GET"}, {"method": "get"}, {}], ids=str)
def test_next_page_that_is_a_link_to_get_is_asked_of_the_same_host(
    naps: list[float], host: str, method: dict[str, str]
) -> None:
    link = {"rel": "next", "href": f"{host}/stac/search?token=next%3Aa&limit=2", **method}
    first = as_json({"features": [{**ITEM, "properties": {}}], "links": [link]})
    with AnyServer(first, FOUND) as server:
        assert sentinel_2(server, PRODUCT[:26]).item_id == ITEM["id"]
    assert server.asked[1:] == [("GET", "/stac/search?token=next%3Aa&limit=2", b"")]


def test_next_page_by_get_may_be_named_by_its_query_alone(naps: list[float]) -> None:
    pages = [next_link(method="GET", href=f"?token={name}") for name in ("two", "three")]
    with AnyServer(*pages, FOUND) as server:
        assert sentinel_2(server, PRODUCT[:26]).item_id == ITEM["id"]
    assert [path for _, path, _ in server.asked] == ["/search", "/search?token=two", "/search?token=three"]


def test_pages_by_get_and_by_post_may_follow_each_other(naps: list[float]) -> None:
    by_get, by_post = next_link(method="GET", href="?token=two"), next_link(body={"token": "three"})
    with AnyServer(by_get, by_post, FOUND) as server:
        assert sentinel_2(server, PRODUCT[:26]).item_id == ITEM["id"]
    assert server.asked[1:] == [("GET", "/search?token=two", b""), ("POST", "/search", b'{"token": "three"}')]


# --- What is remembered ---------------------------------------------------------------------------------------------


def test_answer_is_good_for_minutes(naps: list[float]) -> None:
    with AnyServer(FOUND) as server:
        first = sentinel_2(server)
        asked = len(server.asked)
        assert sentinel_2(server).item == first.item
        assert len(server.asked) == asked
        with pytest.raises(SceneNotFound):
            sentinel_2(server, ANOTHER)
        assert len(server.asked) > asked


def test_answer_is_not_good_for_ever(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour_later = time.monotonic() + 3600
    with AnyServer(FOUND) as server:
        sentinel_2(server)
        asked = len(server.asked)
        monkeypatch.setattr(recent.time, "monotonic", lambda: an_hour_later)
        sentinel_2(server)
        assert len(server.asked) == 2 * asked


def test_failure_is_not_remembered(naps: list[float]) -> None:
    with AnyServer(content(LOGIN_PAGE, headers=HTML), FOUND) as server:
        with unavailable(server):
            sentinel_2(server)
        assert sentinel_2(server).item_id == ITEM["id"]


def test_answer_of_one_catalogue_is_not_that_of_another(naps: list[float]) -> None:
    with AnyServer(FOUND) as one, AnyServer(EMPTY) as other:
        assert sentinel_2(one).item_id == ITEM["id"]
        with pytest.raises(SceneNotFound):
            sentinel_2(other)
