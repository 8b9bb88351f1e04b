"""An answer that is wanted within so many seconds comes in time, or none does."""

import time

import pytest

from processing.http.fetch import HostUnavailable, fetch_json
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, Answer, AnyServer, as_json, silence, status

HERE = frozenset({"127.0.0.1"})


@pytest.mark.parametrize("answer", [silence, SLOW_HEADERS, SLOW_BODY])
@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_slow_host_is_given_up_in_time(answer: Answer, seconds: float) -> None:
    started = time.monotonic()
    with AnyServer(answer) as server, pytest.raises(HostUnavailable):
        fetch_json(server.url, HERE, within=seconds)
    assert time.monotonic() - started < 5


def test_host_that_fails_is_asked_once() -> None:
    with AnyServer(status(503), as_json({})) as server, pytest.raises(HostUnavailable) as error:
        fetch_json(server.url, HERE, within=5)
    assert "503" in error.value.fault
    assert len(server.asked) == 1


def test_answer_in_time_is_returned() -> None:
    with AnyServer(as_json({"answer": 1})) as server:
        assert fetch_json(server.url, HERE, within=5) == {"answer": 1}
