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
from processing.raster.types import RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, Answer, AnyServer, silence, status
from tests.raster.support.real_scenes import SCENES, real_items, serve_files
from tests.raster.support.served_catalogues import Item, catalogues, closed_root, find
from tests.servers import RangeServer

V1 = "sentinel-2-l2a"
MOST_SECONDS = 5.0
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


def ndvi(product: str, directory: Path, *roots: str) -> float:
    """Seconds that the job takes. It fails the test unless it completes."""
    directory.mkdir(parents=True)
    config = config_for(roots={"sentinel-2": roots}, private_hosts=frozenset({"127.0.0.1"}))
    scene_ids = (SceneId(provider="sentinel-2", original_id=product),)
    started = time.monotonic()
    job = RasterJob(operation="ndvi", scene_ids=scene_ids, params=NdviParams())
    product_of_job = run(job, directory, lambda share: None, config)
    (scene,) = product_of_job.provenance["scenes"]
    assert scene["catalogue"] in {root.removeprefix("http://") for root in roots}
    assert scene["collection"] == V1
    return time.monotonic() - started


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


@pytest.mark.parametrize("gap", range(5))
def test_scene_that_the_first_catalogue_misses_is_read_from_the_next(
    tmp_path: Path, items: list[Item], gap: int
) -> None:
    with catalogues(tmp_path, (V1, items[:gap] + items[gap + 1 :]), (V1, items)) as (gappy, whole):
        for item in items:
            scene = find("sentinel-2", SCENES[item["id"]], gappy, whole)
            assert scene.catalogue == (whole if item is items[gap] else gappy).removeprefix("http://")


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
