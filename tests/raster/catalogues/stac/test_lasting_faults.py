"""Faults of a catalogue that stay: named at once, in bounded time and memory."""

import gzip

import pytest

from processing.raster.catalogues.providers import get_provider
from processing.raster.types import SceneId
from tests.raster.catalogues.stac.answers import (
    FOUND,
    HURRIED,
    ITEM,
    NAMES,
    PRODUCT,
    page_of,
    sentinel_2,
    unavailable,
)
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
    status,
)

HTML, JSON, GZIP = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}
NO_PAGES: dict[str, Answer] = {
    "nothing": content(b""),
    "garbage": content(bytes(range(256)) * 40),
    "no JSON": content(b"certainly not JSON"),
    "login page": content(LOGIN_PAGE, headers=HTML),
    "login page that says it is JSON": content(LOGIN_PAGE, headers=JSON),
    "redirect to a login page": redirect("/login"),
    "not UTF-8": content(b'{"features": ["\xff\xfe"]}'),
    "NaN": content(b"NaN"),
    "a list": as_json([]),
    "a number": as_json(17),
    "null": as_json(None),
    "an item": as_json(ITEM),
    "an empty object": as_json({}),
    "an object without features": as_json({"properties": None}),
    "features that are null": as_json({"features": None}),
    "features that are a number": as_json({"features": 5}),
    "a feature that is null": page_of(None),
    "a feature without anything": page_of({}),
    "id that is a number": page_of({**ITEM, "id": 5}),
    "id that is null": page_of({**ITEM, "id": None}),
    "no properties": page_of({**ITEM, "properties": None}),
    "listed properties": page_of({**ITEM, "properties": []}),
    "no assets": page_of({**ITEM, "assets": None}),
    "listed assets": page_of({**ITEM, "assets": [{}]}),
    "asset that is null": page_of({**ITEM, "assets": {"red": None}}),
    "links that are null": page_of(links=None),
    "links that are null beside an item": page_of(ITEM, links=None),
    "a link that is null": page_of(links=[None]),
    "list nested without end": content(b"[" * 200_000),
    "nested without end": content(b'{"features":' * 200_000),
    "features nested deeply": content(b'{"features": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    **{str(code): status(code) for code in (201, 204, 400, 401, 403, 404, 405, 418, 501)},
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("kind", sorted(NO_PAGES))
def test_answer_that_is_no_page_of_items_is_named_at_once(naps: list[float], kind: str, name: str) -> None:
    with AnyServer(NO_PAGES[kind]) as server, unavailable(server):
        sentinel_2(server, name)
    assert (len(server.asked), naps) == (1, [])


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_broken_compression_is_named(name: str) -> None:
    with AnyServer(content(b"\x1f\x8b" + b"x" * 50, headers=GZIP)) as server, unavailable(server):
        sentinel_2(server, name)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(naps: list[float], code: int) -> None:
    with AnyServer(FOUND) as elsewhere, AnyServer(redirect(f"{elsewhere.url}/search", code)) as server:
        with unavailable(server):
            sentinel_2(server)
        assert (len(server.asked), elsewhere.asked) == (1, [])


@pytest.mark.usefixtures("naps")
def test_endless_answer_is_cut_off_at_the_limit() -> None:
    with AnyServer(endless) as server, unavailable(server, seconds=20):
        sentinel_2(server)
    assert len(server.asked) == 1
    assert server.bytes_sent < 64 << 20


@pytest.mark.usefixtures("naps")
def test_answer_that_swells_when_unpacked_is_cut_off_at_the_limit() -> None:
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
def test_answer_of_one_byte_at_a_time_is_given_up(kind: str) -> None:
    """Each byte comes in time, but all of them together take too long."""
    with AnyServer(SLOW[kind]) as server, unavailable(server):
        sentinel_2(server, patience=HURRIED)


def test_host_that_may_not_be_reached_is_not_asked(naps: list[float]) -> None:
    with AnyServer(FOUND) as server:
        config = config_for(roots={"sentinel-2": [server.url]})
        with unavailable(server):
            get_provider("sentinel-2").find(
                SceneId(provider="sentinel-2", original_id=PRODUCT), config.catalogues, config.network
            )
        assert (server.asked, naps) == ([], [])
