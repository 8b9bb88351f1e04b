"""Faults of a catalogue that may pass: it is asked again for a while, at a pace that it may choose."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from processing.raster.errors import ProviderUnavailable
from tests.raster.catalogues.stac.answers import FOUND, HURRIED, ITEM_ID, NAMES, PRODUCT, sentinel_2, unavailable
from tests.raster.support.misbehaving import AnyServer, content, silence, status
from tests.raster.support.served_catalogues import closed_root, find

BROKEN = content(b'{"features": [', cut=100)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_catalogue_that_always_fails_is_asked_again_after_growing_pauses(
    naps: list[float], code: int, name: str
) -> None:
    with AnyServer(status(code)) as server, unavailable(server) as error:
        sentinel_2(server, name)
    assert str(code) in error.value.message
    assert 3 <= len(server.asked) <= 6
    assert len(naps) == len(server.asked) - 1
    assert naps == sorted(set(naps))
    assert 0 < sum(naps) < 30


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_catalogue_that_fails_twice_is_asked_until_it_answers(code: int) -> None:
    with AnyServer(status(code), status(code), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM_ID
    assert len(server.asked) == 3
    assert len({body for _, _, body in server.asked}) == 1


def test_pause_is_as_long_as_the_catalogue_asks_for(naps: list[float]) -> None:
    with AnyServer(status(429, Retry_After="3"), status(503, Retry_After="4"), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM_ID
    assert len(naps) == 2
    assert (naps[0] >= 3, naps[1] >= 4, sum(naps) < 12) == (True, True, True)


def test_error_names_the_pause_of_a_catalogue_that_always_asks_for_one(naps: list[float]) -> None:
    with AnyServer(status(429, Retry_After="7")) as server, unavailable(server) as error:
        sentinel_2(server)
    assert naps == [7] * (len(server.asked) - 1)
    assert error.value.details == {"host": server.host, "retry_after": 7}


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("wait", ["61", "3600", "99999999999999"])
def test_catalogue_that_asks_for_a_long_pause_is_left_alone_at_once(naps: list[float], code: int, wait: str) -> None:
    with AnyServer(status(code, Retry_After=wait)) as server, unavailable(server) as error:
        sentinel_2(server)
    assert (len(server.asked), naps) == (1, [])
    assert error.value.details["retry_after"] == float(wait)


def test_catalogue_that_names_a_time_of_day_is_left_alone_until_then(naps: list[float]) -> None:
    hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with AnyServer(status(429, Retry_After=hour)) as server, unavailable(server):
        sentinel_2(server)
    assert (len(server.asked), naps) == (1, [])


@pytest.mark.usefixtures("naps")
def test_pause_of_hundreds_of_digits_is_still_valid_json() -> None:
    with AnyServer(status(429, Retry_After="9" * 400)) as server, unavailable(server) as error:
        sentinel_2(server)
    assert json.loads(json.dumps(error.value.details, allow_nan=False))["host"] == server.host


@pytest.mark.parametrize("wait", ["", "soon", "-5", "1.5", "1e9", "\u00b2", "Thu, 01 Jan 1970 00:00:00 GMT", "0"])
def test_senseless_pause_counts_as_none(naps: list[float], wait: str) -> None:
    with AnyServer(status(429, Retry_After=wait), FOUND) as server:
        assert sentinel_2(server).item_id == ITEM_ID
    assert len(server.asked) == 2
    assert sum(naps) < 10


@pytest.mark.usefixtures("naps")
def test_broken_answer_is_asked_for_again() -> None:
    with AnyServer(BROKEN, FOUND) as server:
        assert sentinel_2(server).item_id == ITEM_ID
    assert len(server.asked) == 2


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_catalogue_that_always_breaks_off_is_unavailable(name: str) -> None:
    with AnyServer(BROKEN) as server, unavailable(server):
        sentinel_2(server, name)


def test_catalogue_at_which_nobody_listens_is_unavailable(naps: list[float]) -> None:
    root = closed_root()
    with pytest.raises(ProviderUnavailable) as error:
        find("sentinel-2", PRODUCT, root)
    assert error.value.details["host"] == root.removeprefix("http://")
    assert 2 <= len(naps) <= 5


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_catalogue_that_never_answers_is_unavailable(name: str) -> None:
    with AnyServer(silence) as server, unavailable(server):
        sentinel_2(server, name, HURRIED)
    assert server.asked
