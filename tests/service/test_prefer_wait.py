"""Prefer: wait=N through a served instance: in time for a quick job, never for all threads, and not past a stop."""

import time
from concurrent.futures import ThreadPoolExecutor

import requests

from bench.slow_clients import slowest_healthz
from tests.servers import wait_until

from .conftest import NewService, Service
from .instances import rows

CALLERS = 16


def submit(service: Service, scene: str, seconds: int) -> tuple[float, requests.Response]:
    """The answer, and the seconds until it came."""
    began = time.monotonic()
    answer = requests.post(
        f"{service.url}/api/v1/process",
        json={"operation": "ndvi", "scene_ids": [f"sentinel-2:{scene}"]},
        headers={**service.headers, "Prefer": f"wait={seconds}"},
        timeout=60,
    )
    return time.monotonic() - began, answer


def test_quick_job_is_finished_in_the_answer_to_its_submit(service: Service) -> None:
    took, answer = submit(service, "TEST_NOT_FOUND", 30)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=30"), answer.text
    assert answer.json()["error"]["code"] == "SCENE_NOT_FOUND"
    assert 1000 * took - answer.json()["duration_ms"] < 5000


def test_waiters_hold_up_nobody(service: Service) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(submit, service, "TEST_SLOW", 4) for _ in range(CALLERS)]
        assert slowest_healthz(service.port, 4) < 1
        answers = [promise.result() for promise in asked]
    assert {answer.status_code for _, answer in answers} == {202}
    waited = [took for took, answer in answers if "Preference-Applied" in answer.headers]
    assert 1 <= len(waited) <= 4, "two in each of two processes"
    assert all(4 <= took < 10 for took in waited)
    for _, answer in answers:
        job = f"{service.url}/api/v1/process/{answer.json()['job_id']}"
        requests.delete(job, headers=service.headers, timeout=10).raise_for_status()


def test_service_that_stops_answers_its_waiters_first(new_service: NewService) -> None:
    service = new_service({}).start()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(submit, service, "TEST_SLOW", 30)
        wait_until(lambda: rows(service, "SELECT id FROM processing_job"), 20, "the job")
        service.stop()
        took, answer = asked.result()
    assert took < 25
    assert answer.status_code == 202
    assert rows(service, "SELECT id FROM processing_job") == [(answer.json()["job_id"],)]
