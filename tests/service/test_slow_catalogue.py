"""Many callers at once at a catalogue that drips: each is answered in time, and nobody else waits."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bench.slow_clients import slowest_healthz
from tests.raster.support.misbehaving import SLOW_BODY, AnyServer

from .conftest import NewService, Service
from .instances import live_key

CALLERS = 16
PRODUCT = "S2B_MSIL2A_20230813T095559_N0509_R122_T33TWL_20230813T130536"


@pytest.fixture
def dripping() -> Iterator[AnyServer]:
    with AnyServer(SLOW_BODY) as server:
        yield server


@pytest.fixture
def at_dripping(new_service: NewService, dripping: AnyServer) -> Service:
    return new_service({"ASTRA_SENTINEL2_STAC": dripping.url, "ASTRA_PRIVATE_HOSTS": "127.0.0.1"}).start()


def test_callers_at_a_dripping_catalogue_hold_up_nobody(at_dripping: Service, dripping: AnyServer) -> None:
    headers = {"Authorization": f"Bearer {live_key(at_dripping)}"}

    def ask(number: int) -> tuple[float, requests.Response]:
        started = time.monotonic()
        # Each asks for a scene of its own, so that no answer can be remembered.
        path = f"/api/v1/scenes/sentinel-2:{PRODUCT.replace('T33TWL', f'T33TW{chr(65 + number)}')}"
        answer = requests.get(f"{at_dripping.url}{path}", headers=headers, timeout=30)
        return time.monotonic() - started, answer

    with ThreadPoolExecutor(CALLERS) as callers:
        asked = callers.map(ask, range(CALLERS))
        assert slowest_healthz(at_dripping.port, seconds=4) < 3
        answers = list(asked)
    assert max(seconds for seconds, _ in answers) < 10
    codes = [answer.json()["error"]["code"] for _, answer in answers]
    assert {answer.status_code for _, answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for _, answer in answers)
    assert set(codes) == {"PROVIDER_UNAVAILABLE", "SERVICE_UNAVAILABLE"}
    assert codes.count("PROVIDER_UNAVAILABLE") == len(dripping.asked) < CALLERS


def test_place_of_a_caller_who_was_answered_is_free_again(at_dripping: Service, dripping: AnyServer) -> None:
    headers = {"Authorization": f"Bearer {live_key(at_dripping)}"}
    url = f"{at_dripping.url}/api/v1/scenes/sentinel-2:{PRODUCT}"
    for _ in range(2):
        with ThreadPoolExecutor(CALLERS) as callers:
            answers = list(callers.map(lambda _: requests.get(url, headers=headers, timeout=30), range(CALLERS)))
        codes = [answer.json()["error"]["code"] for answer in answers]
        assert "PROVIDER_UNAVAILABLE" in codes
    malformed = requests.get(f"{at_dripping.url}/api/v1/scenes/sentinel-2:anything", headers=headers, timeout=5)
    assert malformed.json()["error"]["code"] == "INVALID_ID_FORMAT"
