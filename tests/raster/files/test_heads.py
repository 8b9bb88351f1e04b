"""The head of a file is fetched once for all jobs of a process, as long as it is fresh and the file is the same."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from processing.http import guard, sessions
from processing.raster.errors import SceneReplaced
from processing.raster.types import PixelArray
from tests.raster.files.local_copy.copies import LARGE, cog, remote
from tests.raster.support.rasters import band, described, read_dn
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")

PART = slice(900, 1000), slice(900, 1000)


@pytest.fixture
def store(range_server: RangeServer) -> RangeServer:
    range_server.names_versions = True
    cog(range_server.folder / "red.tif", LARGE)
    return range_server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of what is remembered is its only element."""
    now = [time.monotonic()]
    monkeypatch.setattr("processing.http.recent.time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    return now


def read(store: RangeServer) -> PixelArray:
    """A part of the file, as a job of its own reads it."""
    source, config = remote(store, store.folder / "red.tif")
    with described(band(source), config) as file:
        return read_dn(file, *PART)


def asked_for_the_head(store: RangeServer) -> int:
    """How often, since it was asked last."""
    ranges = [str(asked) for _, _, asked in store.requests]
    store.requests.clear()
    return sum(asked.startswith("bytes=0-") for asked in ranges)


def test_next_job_asks_only_for_its_pixels(store: RangeServer) -> None:
    first, second = read(store), read(store)
    np.testing.assert_array_equal(first, LARGE[PART])
    np.testing.assert_array_equal(second, LARGE[PART])
    assert len(store.requests) == 3
    assert asked_for_the_head(store) == 1


def test_small_file_is_not_asked_for_again(store: RangeServer) -> None:
    small = cog(store.folder / "red.tif", LARGE[:100, :100])
    source, config = remote(store, small)
    for _ in range(2):
        with described(band(source), config) as file:
            np.testing.assert_array_equal(read_dn(file, slice(0, 100), slice(0, 100)), LARGE[:100, :100])
    assert len(store.requests) == 1


def test_file_without_a_version_is_asked_for_its_head_by_each_job(store: RangeServer) -> None:
    store.names_versions = False
    read(store)
    read(store)
    assert asked_for_the_head(store) == 2


def test_head_is_asked_for_again_after_a_while(store: RangeServer, clock: list[float]) -> None:
    read(store)
    clock[0] += 119
    read(store)
    assert asked_for_the_head(store) == 1
    clock[0] += 2
    read(store)
    assert asked_for_the_head(store) == 1


def test_file_that_was_replaced_since_is_read_right_by_the_next_attempt(store: RangeServer) -> None:
    read(store)
    other = np.roll(LARGE, 7)
    cog(store.folder / "red.tif", other)
    with pytest.raises(SceneReplaced, match="replaced") as refused:
        read(store)
    assert refused.value.retryable
    np.testing.assert_array_equal(read(store), other[PART])


def test_connection_stays_open_for_the_next_job(store: RangeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    open_one = guard.open_session

    def open_noted(url: str, *rest: Any, **named: Any) -> requests.Session:
        opened.append(url)
        return open_one(url, *rest, **named)

    monkeypatch.setattr("processing.http.sessions.open_session", open_noted)
    read(store)
    read(store)
    assert len(opened) == 1


def test_session_is_given_up_long_before_its_connections_are_cut_off(store: RangeServer, clock: list[float]) -> None:
    source, config = remote(store, Path("red.tif"))
    first = sessions.session_for(source.url, config.network.private_hosts)
    clock[0] += 119
    assert sessions.session_for(source.url, config.network.private_hosts) is first
    clock[0] += 2
    assert sessions.session_for(source.url, config.network.private_hosts) is not first


def test_what_is_known_of_a_file_holds_for_its_version_alone(store: RangeServer) -> None:
    source, config = remote(store, store.folder / "red.tif")
    with described(band(source), config) as file:
        file.facts["colour"] = "red"
    with described(band(source), config) as file:
        assert file.facts["colour"] == "red"
    cog(store.folder / "red.tif", np.roll(LARGE, 7))
    with pytest.raises(SceneReplaced):
        read(store)
    with described(band(source), config) as file:
        assert "colour" not in file.facts
