"""A look-up ends in time, however many catalogues do not answer, and names one that did not."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from processing.raster.catalogues.patience import FOR_A_CALLER, FOR_A_JOB, Patience
from processing.raster.errors import ProviderUnavailable
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, Answer, AnyServer, silence, status
from tests.raster.support.served_catalogues import Item, catalogues, find, stored_item

V1 = "sentinel-2-l2a"
NAMES = {
    "whole name": "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPT_20230602T162001",
    "short name": "S2A_MSIL2A_20230602T100602",
    "own id": "S2A_32TPT_20230602_0_L2A",
}
SHORT = Patience(seconds=1.5, asks_again=True)
# Seconds for everything else, on a busy machine. Four catalogues that do not share their time take 6 s, not 1.5.
SOME_MORE = 3.0


@pytest.fixture
def tps(shared_data: Path) -> Item:
    return stored_item(shared_data, "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A")


@contextmanager
def gives_up_within(seconds: float, *dead: AnyServer) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable) as error:
        yield
    assert time.monotonic() - started < seconds
    assert error.value.details["host"] in {server.host for server in dead}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("answer", [silence, SLOW_HEADERS, SLOW_BODY], ids=["hanging", "headers", "body"])
@pytest.mark.parametrize("count", [1, 4])
def test_hanging_catalogues_share_the_time(answer: Answer, name: str, count: int) -> None:
    with ExitStack() as stack:
        dead = [stack.enter_context(AnyServer(answer)) for _ in range(count)]
        for _ in range(2):  # the second time all are known to have failed
            with gives_up_within(SHORT.seconds + SOME_MORE, *dead):
                find("sentinel-2", name, *(server.url for server in dead), patience=SHORT)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("place", ["first", "last"])
def test_scene_that_nobody_else_has_is_given_up_in_time(tmp_path: Path, tps: Item, name: str, place: str) -> None:
    with catalogues(tmp_path, (V1, [tps])) as (alive,), AnyServer(silence) as dead:
        roots = (dead.url, alive) if place == "first" else (alive, dead.url)
        for _ in range(2):
            with gives_up_within(SHORT.seconds + SOME_MORE, dead):
                find("sentinel-2", name, *roots, patience=SHORT)


def test_job_waits_15_seconds_at_most_and_a_caller_five() -> None:
    with AnyServer(silence) as dead:
        for patience, most in ((FOR_A_JOB, 15), (FOR_A_CALLER, 5)):
            with gives_up_within(most + SOME_MORE, dead):
                find("sentinel-2", NAMES["whole name"], dead.url, patience=patience)


def test_caller_has_a_host_that_fails_tried_once() -> None:
    with AnyServer(status(503)) as failing, gives_up_within(SOME_MORE, failing):
        find("sentinel-2", NAMES["whole name"], failing.url, patience=FOR_A_CALLER)
    assert len(failing.asked) == 1
