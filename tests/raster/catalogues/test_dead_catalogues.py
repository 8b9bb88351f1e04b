"""One of several catalogues is down, hangs or has gaps: jobs go on with the others, and soon."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from processing.http import retry
from processing.raster.catalogues import health
from processing.raster.catalogues.catalogue import catalogue_at
from processing.raster.errors import ProviderUnavailable, SceneNotFound
from processing.raster.operations.ndvi import NdviParams
from processing.raster.pipeline import run
from processing.raster.types import Product, RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, Answer, AnyServer, silence, status
from tests.raster.support.real_scenes import (
    LANDSAT,
    SCENES,
    landsat_item,
    real_items,
    serve_files,
    serve_landsat_files,
)
from tests.raster.support.served_catalogues import Item, catalogues, closed_root, find, in_pc_form
from tests.servers import RangeServer

V1 = "sentinel-2-l2a"
MOST_SECONDS = 10.0  # a catalogue is given 4 s; the rest is for a busy machine, and far from the minutes of a request
Dead = Callable[[], AbstractContextManager[str]]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is down is tried twice and without waiting, if it is tried again at all."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))


@contextmanager
def down() -> Iterator[str]:
    yield closed_root()


def answering(answer: Answer) -> Dead:
    @contextmanager
    def server() -> Iterator[str]:
        with AnyServer(answer) as started:
            yield started.url

    return server


DEAD = {
    "down": down,
    "hanging": answering(silence),
    "headers byte by byte": answering(SLOW_HEADERS),
    "body byte by byte": answering(SLOW_BODY),
    "failing": answering(status(503)),
    "asking for an hour": answering(status(429, Retry_After="3600")),
}


@pytest.fixture
def items(shared_data: Path, range_server: RangeServer) -> list[Item]:
    """Real items, and their files behind them."""
    serve_files(shared_data, range_server)
    return real_items(shared_data, range_server.url)


def timed(name: str, directory: Path, *roots: str) -> tuple[float, Product]:
    """Seconds that an NDVI job takes, and its result. It fails the test unless it completes."""
    directory.mkdir(parents=True)
    provider = "landsat" if name.startswith("L") else "sentinel-2"
    config = config_for(roots={provider: roots}, private_hosts=frozenset({"127.0.0.1"}))
    scene_ids = (SceneId(provider=provider, original_id=name),)
    started = time.monotonic()
    job = RasterJob(operation="ndvi", scene_ids=scene_ids, params=NdviParams())
    product = run(job, directory, lambda share: None, config)
    taken = time.monotonic() - started
    (scene,) = product.provenance["scenes"]
    assert scene["catalogue"] in {root.removeprefix("http://") for root in roots}
    return taken, product


def ndvi(name: str, directory: Path, *roots: str) -> float:
    return timed(name, directory, *roots)[0]


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("place", ["first", "last"])
def test_jobs_complete_without_a_dead_catalogue_and_lose_seconds(
    tmp_path: Path, items: list[Item], dead: Dead, place: str
) -> None:
    with catalogues(tmp_path, (V1, items)) as (alive,), dead() as root:
        healthy = ndvi(SCENES[items[0]["id"]], tmp_path / "healthy", alive)
        roots = (root, alive) if place == "first" else (alive, root)
        taken = [ndvi(SCENES[item["id"]], tmp_path / item["id"], *roots) for item in items]
    assert max(taken) - healthy < MOST_SECONDS


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("place", ["first", "last"])
def test_jobs_by_the_ids_of_a_dead_catalogue_complete_by_the_same_products_elsewhere(
    tmp_path: Path, items: list[Item], dead: Dead, place: str
) -> None:
    with catalogues(tmp_path, (V1, [in_pc_form(item) for item in items])) as (alive,), dead() as root:
        healthy = ndvi(SCENES[items[0]["id"]], tmp_path / "healthy", alive)
        roots = (root, alive) if place == "first" else (alive, root)
        for item in items:
            taken, product = timed(item["id"], tmp_path / item["id"], *roots)
            assert taken - healthy < MOST_SECONDS
            (scene,) = product.provenance["scenes"]
            assert (scene["product"], scene["catalogue"]) == (SCENES[item["id"]], alive.removeprefix("http://"))
            (warning,) = [text for text in product.warnings if item["id"] in text and SCENES[item["id"]] in text]
            assert root.removeprefix("http://") in warning


@pytest.mark.parametrize("dead", [down, DEAD["hanging"], DEAD["failing"]], ids=["down", "hanging", "failing"])
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", [LANDSAT, LANDSAT.replace("_20200825_", "_")], ids=["whole", "short"])
def test_landsat_jobs_complete_without_any_one_of_three_catalogues(
    tmp_path: Path, shared_data: Path, range_server: RangeServer, dead: Dead, place: int, name: str
) -> None:
    serve_landsat_files(shared_data, range_server)
    item = landsat_item(shared_data, range_server.url)
    short = {**item, "id": LANDSAT.replace("_20200825_", "_")}
    held = [("landsat-c2l2-sr", [item]), ("landsat-c2-l2", [short]), ("landsat-c2-l2", [short])]
    del held[place]
    with catalogues(tmp_path, *held) as alive, dead() as root:
        healthy = ndvi(LANDSAT, tmp_path / "healthy", *alive)
        taken = ndvi(name, tmp_path / "job", *alive[:place], root, *alive[place:])
    assert taken - healthy < MOST_SECONDS


@pytest.mark.parametrize("gap", range(5))
def test_scene_that_the_first_catalogue_misses_is_read_from_the_next(
    tmp_path: Path, items: list[Item], gap: int
) -> None:
    with catalogues(tmp_path, (V1, items[:gap] + items[gap + 1 :]), (V1, items)) as (gappy, whole):
        for item in items:
            scene = find("sentinel-2", SCENES[item["id"]], gappy, whole)
            assert scene.catalogue == (whole if item is items[gap] else gappy).removeprefix("http://")


def test_ids_of_a_catalogue_that_misses_a_third_lead_to_the_same_products_elsewhere(
    tmp_path: Path, items: list[Item]
) -> None:
    with catalogues(tmp_path, (V1, items[2:]), (V1, [in_pc_form(item) for item in items])) as (gappy, whole):
        for item in items:
            scene = find("sentinel-2", item["id"], gappy, whole)
            assert scene.properties["s2:product_uri"] == f"{SCENES[item['id']]}.SAFE"
            assert (scene.catalogue in gappy, len(scene.warnings)) == ((True, 0) if item in items[2:] else (False, 1))


def test_catalogue_that_failed_is_asked_last_for_a_while(tmp_path: Path, items: list[Item]) -> None:
    first, second = (SCENES[item["id"]] for item in items[:2])
    with catalogues(tmp_path, (V1, items)) as (alive,), AnyServer(status(503)) as failing:
        find("sentinel-2", first, failing.url, alive)
        asked = len(failing.asked)
        find("sentinel-2", second, failing.url, alive)
        assert (asked, len(failing.asked)) == (1, 1)
        with pytest.raises(ProviderUnavailable):
            find("sentinel-2", first.replace("T33TWL", "T33TWK"), failing.url, alive)
        assert len(failing.asked) > asked


def test_catalogue_is_asked_in_its_place_again_after_a_minute(
    tmp_path: Path, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    with catalogues(tmp_path, (V1, items), (V1, items)) as (first, second):
        health.note_failure(catalogue_at(first))
        assert find("sentinel-2", SCENES[items[0]["id"]], first, second).catalogue in second
        monkeypatch.setattr(time, "monotonic", lambda: now + 61)
        assert find("sentinel-2", SCENES[items[1]["id"]], first, second).catalogue in first


def test_only_catalogue_is_asked_with_patience(items: list[Item]) -> None:
    """Nobody else can be asked, so a fault that passes is waited for."""
    with AnyServer(status(503)) as failing, pytest.raises(ProviderUnavailable):
        find("sentinel-2", SCENES[items[0]["id"]], failing.url)
    assert len(failing.asked) > 1


def test_scene_that_nobody_has_is_not_found_while_all_answer(tmp_path: Path, items: list[Item]) -> None:
    absent = SCENES[items[0]["id"]].replace("T33TWL", "T33TWK")
    with catalogues(tmp_path, (V1, items), (V1, items[:1])) as roots, pytest.raises(SceneNotFound):
        find("sentinel-2", absent, *roots)
