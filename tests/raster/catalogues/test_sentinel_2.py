"""The Sentinel-2 provider against a real STAC API, and against servers that misbehave in every way."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from processing.http import fetch, retry
from processing.raster.catalogues.providers import get_provider
from processing.raster.errors import AmbiguousSceneId, InvalidSceneId, ProviderUnavailable, RasterError, SceneNotFound
from processing.raster.types import RemoteFile, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.real_scenes import SCENES, as_product, real_item, real_items
from tests.servers import HttpServer, StacServer, free_port

COLLECTION = "sentinel-2-l2a"
FILES = "http://files.example"
WL, WM = "S2B_33TWL_20230820_0_L2A", "S2B_33TWM_20230820_0_L2A"
SEQUENCE_1 = "S2B_33TWL_20230820_1_L2A"
PRODUCT = SCENES[WL]
REPROCESSED = "S2B_MSIL2A_20230820T094549_N0510_R079_T33TWL_20241020T124817"
AGAIN = "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230821T010203"

Finder = Callable[[str], Scene]


def find(original_id: str, root: str, host: str) -> Scene:
    config = config_for(roots={"sentinel-2": (root,)}, private_hosts=frozenset({host, "files.example"}))
    return get_provider("sentinel-2").find(
        SceneId(provider="sentinel-2", original_id=original_id), config.catalogues, config.network
    )


def finder(server: StacServer, items: list[dict[str, Any]]) -> Finder:
    root = server.serve(COLLECTION, items)
    return lambda original_id: find(original_id, root, server.host)


@pytest.fixture
def real(stac_server: StacServer, shared_data: Path) -> Finder:
    return finder(stac_server, real_items(shared_data, FILES))


def test_product_names_lead_to_the_one_scene_they_mean(real: Finder) -> None:
    for item_id, product in SCENES.items():
        for name in (product, f"{product}.SAFE"):
            scene = real(name)
            assert scene.item_id == item_id
            assert str(scene.id) == f"sentinel-2:{name}"
    unambiguous = "S2A_MSIL2A_20230815T095031"
    for name in (unambiguous, f"{unambiguous}_N0509", f"{unambiguous}_N0509_R079", f"{unambiguous}_T33TWL"):
        assert real(name).item_id == "S2A_33TWL_20230815_0_L2A"
    assert real("S2B_MSIL2A_20230820T094549_N0509_R079_T33TWM").item_id == WM


def test_scene_brings_its_files_and_leaves_out_what_cannot_be_read(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    item["assets"]["red-jp2"]["href"] = "s3://sentinel-s2-l2a/tiles/33/T/WL/2023/8/20/0/B04.jp2"
    item["assets"]["blue"]["href"] = "/etc/passwd"
    scene = finder(stac_server, [item])(PRODUCT)
    assert scene.sources["red"] == RemoteFile(url=f"{FILES}/{WL}/B04.tif")
    assert "red-jp2" not in scene.sources
    assert scene.sources.get("blue") is None or str(scene.sources["blue"].url).startswith("http")  # type: ignore[union-attr]
    assert scene.assets["red-jp2"]
    assert scene.properties["earthsearch:boa_offset_applied"] is True


def test_id_of_an_item_leads_to_that_item(real: Finder) -> None:
    for item_id in SCENES:
        scene = real(item_id)
        assert scene.item_id == item_id
        assert str(scene.id) == f"sentinel-2:{item_id}"
    with pytest.raises(SceneNotFound) as error:
        real(SEQUENCE_1)
    assert error.value.details["scene_id"] == f"sentinel-2:{SEQUENCE_1}"


def test_name_of_several_tiles_is_ambiguous(real: Finder) -> None:
    with pytest.raises(AmbiguousSceneId) as error:
        real("S2B_MSIL2A_20230820T094549")
    assert error.value.details["candidates"] == [f"sentinel-2:{SCENES[item]}" for item in (WL, WM)]
    assert f"sentinel-2:{SCENES[WL]}" in error.value.message


def test_ten_candidates_are_named_of_many(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    tiles = [f"33T{letter}L" for letter in "ABCDEFGHJKLMNPQ"]
    items = [as_product(item, f"S2B_{tile}_20230820_0_L2A", PRODUCT.replace("T33TWL", f"T{tile}")) for tile in tiles]
    with pytest.raises(AmbiguousSceneId) as error:
        finder(stac_server, items)("S2B_MSIL2A_20230820T094549_N0509")
    candidates = error.value.details["candidates"]
    products = {item["properties"]["s2:product_uri"].removesuffix(".SAFE") for item in items}
    assert len(set(candidates)) == 10
    assert {candidate.removeprefix("sentinel-2:") for candidate in candidates} <= products


@pytest.mark.parametrize(
    "unknown",
    [
        "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWN_20230820T124817",
        "S2A_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817",
        "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124818",
        "S2B_MSIL2A_20230820T094549_N0511_R079_T33TWL_20230820T124817",
        "S2B_MSIL2A_20230820T094548",
        "S2B_MSIL2A_20220820T094549",
    ],
)
def test_name_of_no_scene_is_not_found(real: Finder, unknown: str) -> None:
    with pytest.raises(SceneNotFound) as error:
        real(unknown)
    assert error.value.details["scene_id"] == f"sentinel-2:{unknown}"
    assert unknown in error.value.message


def test_computed_id_alone_does_not_make_it_the_product(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    items = [item, as_product(item, SEQUENCE_1, REPROCESSED)]
    search = finder(stac_server, items)
    assert search(PRODUCT).item_id == WL
    assert search(REPROCESSED).item_id == SEQUENCE_1
    with pytest.raises(SceneNotFound):
        search(PRODUCT.replace("N0509", "N0511"))


def test_id_is_found_by_search_where_its_sequence_is_higher(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    items = [item, as_product(item, "S2B_33TWL_20230820_2_L2A", REPROCESSED)]
    assert finder(stac_server, items)(REPROCESSED).item_id == "S2B_33TWL_20230820_2_L2A"


def test_zone_below_10_has_no_zero_in_the_items_id(shared_data: Path, stac_server: StacServer) -> None:
    product = "S2B_MSIL2A_20230820T094549_N0509_R079_T07VEG_20230820T124817"
    item = as_product(real_item(shared_data, WL, FILES), "S2B_7VEG_20230820_0_L2A", product)
    item["properties"]["datetime"] = "2021-01-01T00:00:00Z"  # only the computed id can find it
    assert finder(stac_server, [item])(product).item_id == "S2B_7VEG_20230820_0_L2A"


@pytest.mark.parametrize(("second", "short"), [
    (REPROCESSED, "S2B_MSIL2A_20230820T094549_T33TWL"),
    (REPROCESSED, "S2B_MSIL2A_20230820T094549_R079_T33TWL"),
    (REPROCESSED, "S2B_MSIL2A_20230820T094549"),
    (AGAIN, "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL"),
])  # fmt: skip
def test_name_of_two_processings_of_one_tile_is_ambiguous(
    shared_data: Path, stac_server: StacServer, second: str, short: str
) -> None:
    item = real_item(shared_data, WL, FILES)
    with pytest.raises(AmbiguousSceneId) as error:
        finder(stac_server, [item, as_product(item, SEQUENCE_1, second)])(short)
    assert set(error.value.details["candidates"]) == {f"sentinel-2:{PRODUCT}", f"sentinel-2:{second}"}


@pytest.mark.parametrize(
    "malformed",
    [
        "S2B_33TWL_20230820_L2A",
        "S2B_33TWL_20230820_0_L1C",
        "S2B_33TWL_20230820_0_L2A.SAFE",
        "S2E_33TWL_20230820_0_L2A",
        "S2B_MSIL1C_20230820T094549",
        "S2B_MSIL2A_20231320T094549",
        "anything",
    ],
)
def test_malformed_name_is_refused_without_asking(malformed: str) -> None:
    with pytest.raises(InvalidSceneId):
        get_provider("sentinel-2").check_id(SceneId(provider="sentinel-2", original_id=malformed))
    with pytest.raises(InvalidSceneId):
        find(malformed, "http://127.0.0.1:1", "127.0.0.1:1")


@dataclass(frozen=True)
class Answer:
    """What a catalogue says to everything; `cut` bytes of it are promised and never sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    silent: bool = False


class CatalogueHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        owner: Catalogue = self.server.owner  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = owner.answer
        if answer.silent:
            self.connection.settimeout(10)
            self.rfile.read(1)  # until the client gives up
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body) + answer.cut), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        self.do_GET()

    def handle(self) -> None:
        with suppress(ConnectionError):  # who asks may hang up early
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class Catalogue(HttpServer):
    """A catalogue that gives the same answer to everything."""

    def __init__(self) -> None:
        self.answer = Answer()
        super().__init__(CatalogueHandler)


@pytest.fixture(scope="module")
def one_catalogue() -> Iterator[Catalogue]:
    with Catalogue() as server:
        yield server


@pytest.fixture
def server(one_catalogue: Catalogue) -> Catalogue:
    one_catalogue.answer = Answer()
    return one_catalogue


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same patience, only without the waiting."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,) * len(retry._RETRY_DELAYS))
    monkeypatch.setattr(fetch, "_TIMEOUT", (1.0, 0.4))
    monkeypatch.setattr(fetch, "_MOST_BYTES", 1 << 20)


LOGIN_PAGE = b"<!doctype html><html><body><form action='/login'>Sign in</form></body></html>"
HTML, JSON, GZIP = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}
GARBAGE = {
    "nothing": Answer(),
    "no JSON": Answer(body=b"certainly not JSON"),
    "login page": Answer(body=LOGIN_PAGE, headers=HTML),
    "login page as JSON": Answer(body=LOGIN_PAGE, headers=JSON),
    "redirect to a login page": Answer(302, headers={"Location": "/login"}),
    "a list": Answer(body=b"[]"),
    "a number": Answer(body=b"17"),
    "null": Answer(body=b"null"),
    "not UTF-8": Answer(body=b'{"id": "\xff\xfe"}'),
    "endless nesting": Answer(body=b"[" * 200_000),
    "broken gzip": Answer(body=b"\x1f\x8b" + b"x" * 50, headers=GZIP),
    "cut short": Answer(body=b'{"type": "Feature"', cut=100),
    "too large": Answer(body=b" " * ((1 << 20) + 1) + b"{}"),
    "gzip bomb": Answer(body=gzip.compress(b" " * (40 << 20)), headers=GZIP),
    "silence": Answer(silent=True),
    **{str(status): Answer(status, b"{}") for status in (400, 401, 403, 404, 429, 500, 502, 503, 504)},
}
NAMES = {"by id": PRODUCT, "by search": "S2B_MSIL2A_20230820T094549", "by the item's id": WL}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("kind", sorted(GARBAGE))
def test_catalogue_that_does_not_answer_as_one_is_unavailable(server: Catalogue, kind: str, name: str) -> None:
    server.answer = GARBAGE[kind]
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable) as error:
        find(name, server.url, server.host)
    assert time.monotonic() - started < 10
    assert error.value.details["host"] == server.host
    assert server.host in error.value.message
    assert error.value.retryable


WL_ITEM = {"type": "Feature", "id": WL, "properties": {"s2:product_uri": f"{PRODUCT}.SAFE"}, "assets": {}}
NEXT = {"rel": "next", "method": "POST"}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    "answer",
    [
        {"features": None},
        {"features": 5},
        {"features": [None]},
        {"features": [{"properties": None}]},
        {"properties": None},
        {"properties": []},
        {"properties": {"s2:product_uri": 5}},
        {"features": []},
        {"features": [{**WL_ITEM, "id": None}]},
        {"features": [{**WL_ITEM, "properties": []}]},
        {"features": [{**WL_ITEM, "properties": {"s2:product_uri": 5}}]},
        {"features": [{**WL_ITEM, "assets": None}]},
        {"features": [{**WL_ITEM, "assets": {"red": None}}]},
        {"features": [{**WL_ITEM, "assets": {"red": {}}}]},
        {"features": [{**WL_ITEM, "assets": {"red": {"href": 5}}}]},
        {"features": [{**WL_ITEM, "assets": {"red": {"alternate": None}}}]},
        {"features": [{**WL_ITEM, "assets": {"red": {"alternate": {"https": None}}}}]},
        {"features": [{**WL_ITEM, "collection": []}]},
        {"features": [], "links": None},
        {"features": [], "links": [None]},
        {"features": [WL_ITEM], "links": None},
        {"features": [WL_ITEM], "links": [{"rel": "next", "method": None}]},
        {"features": [WL_ITEM], "links": [{**NEXT, "body": 5}]},
        {"features": [WL_ITEM], "links": [{**NEXT, "body": 5, "merge": True}]},
        {"features": [WL_ITEM], "links": [{**NEXT, "body": {"page": 2}, "merge": True}]},
    ],
    ids=json.dumps,
)
def test_answer_that_is_no_item_never_escapes_as_another_error(
    server: Catalogue, answer: dict[str, Any], name: str
) -> None:
    server.answer = Answer(body=json.dumps(answer).encode())
    with suppress(RasterError):
        assert find(name, server.url, server.host).sources == {}


def test_catalogue_at_which_nobody_listens_is_unavailable(hurried: None) -> None:
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailable) as error:
        find(PRODUCT, f"http://{host}", host)
    assert error.value.details["host"] == host


def test_catalogue_on_a_private_host_that_was_not_named_is_not_asked(hurried: None, server: Catalogue) -> None:
    server.answer = Answer(404)
    with pytest.raises(ProviderUnavailable):
        find(PRODUCT, server.url, "127.0.0.1:1")


class Recovering(BaseHTTPRequestHandler):
    """Fails twice, then has no such item."""

    def do_GET(self) -> None:
        owner: Any = self.server.owner  # type: ignore[attr-defined]
        owner.asked = getattr(owner, "asked", 0) + 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"" if owner.asked <= 2 else b'{"type": "FeatureCollection", "features": []}'
        self.send_response(200 if body else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def test_failing_catalogue_is_asked_again(hurried: None) -> None:
    with HttpServer(Recovering) as server, pytest.raises(SceneNotFound):
        find(PRODUCT, server.url, server.host)


def test_catalogue_cannot_make_the_service_wait_for_an_hour(monkeypatch: pytest.MonkeyPatch, server: Catalogue) -> None:
    naps: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", naps.append)
    server.answer = Answer(503, headers={"Retry-After": "3600"})
    with pytest.raises(ProviderUnavailable) as error:
        find(PRODUCT, server.url, server.host)
    assert sum(naps) < 60
    assert error.value.details == {"host": server.host, "retry_after": 3600}


def test_catalogue_that_asks_for_a_short_pause_is_given_it(monkeypatch: pytest.MonkeyPatch, server: Catalogue) -> None:
    naps: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", naps.append)
    server.answer = Answer(429, headers={"Retry-After": "7"})
    with pytest.raises(ProviderUnavailable) as error:
        find(PRODUCT, server.url, server.host)
    assert naps == [7] * len(retry._RETRY_DELAYS)
    assert error.value.details["retry_after"] == 7
