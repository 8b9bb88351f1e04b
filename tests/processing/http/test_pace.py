"""A host that allows so many requests a second is asked no faster, and not before it wants to be."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from processing.http.fetch import HostUnavailable, fetch_json
from processing.http.pace import Pace
from tests.raster.support.misbehaving import AnyServer, as_json, status

HERE = frozenset({"127.0.0.1"})
A_TENTH = 0.1


def test_threads_together_keep_the_pace() -> None:
    pace = Pace(A_TENTH)
    with AnyServer(as_json({})) as server, ThreadPoolExecutor(8) as pool:
        started = time.monotonic()
        list(pool.map(lambda _: fetch_json(server.url, HERE, within=5, pace=pace), range(8)))
        taken = time.monotonic() - started
    assert len(server.asked) == 8
    assert taken > 7 * A_TENTH


def test_first_request_waits_for_nobody() -> None:
    pace = Pace(60)
    with AnyServer(as_json({})) as server:
        fetch_json(server.url, HERE, within=5, pace=pace)
        with pytest.raises(HostUnavailable) as error:
            fetch_json(server.url, HERE, within=5, pace=pace)
    assert len(server.asked) == 1
    assert 50 < error.value.retry_after <= 60


def test_host_that_asks_for_a_pause_gets_it_from_every_thread() -> None:
    pace = Pace(0.001)
    with AnyServer(status(429, Retry_After="30"), as_json({})) as server:
        for _ in range(3):
            with pytest.raises(HostUnavailable) as error:
                fetch_json(server.url, HERE, within=5, pace=pace)
            assert 20 < error.value.retry_after <= 30
    assert len(server.asked) == 1


def test_short_pause_is_waited_for() -> None:
    pace = Pace(0.001)
    with AnyServer(status(429, Retry_After="1"), as_json({"answer": 1})) as server:
        started = time.monotonic()
        assert fetch_json(server.url, HERE, within=5, asks_again=True, pace=pace) == {"answer": 1}
        assert time.monotonic() - started > 0.9
