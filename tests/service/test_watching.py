"""A running service as load balancers, Prometheus and readers of its logs see it."""

import json

import pytest
import requests

from tests.servers import wait_until

from .conftest import NewService, Service


def ready(service: Service) -> dict[str, object]:
    answer = requests.get(f"{service.url}/readyz", timeout=5)
    assert answer.status_code == 200
    return dict(answer.json())


def test_running_workers_and_broker_are_seen(service: Service) -> None:
    wait_until(lambda: ready(service)["workers"], 30, "a worker's sign of life")
    found = ready(service)
    assert (found["broker"], found["storage"]) == ("ok", "ok")
    assert not {"workers", "broker"} & set(found["degraded"])  # type: ignore[call-overload]


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "127.0.0.1"}], ids=["loopback", "through a proxy"])
def test_metrics_are_for_this_machine(service: Service, headers: dict[str, str]) -> None:
    answer = requests.get(f"{service.url}/metrics", headers=headers, timeout=5)
    assert answer.status_code == (403 if headers else 200)


def test_logs_as_json_lead_from_a_request_to_its_job(new_service: NewService) -> None:
    service = new_service({"ASTRA_LOG_FORMAT": "json", "ASTRA_LOG_LEVEL": "INFO"}).start()
    answer = requests.post(
        f"{service.url}/api/v1/process",
        json={"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]},
        headers={**service.headers, "X-Request-Id": "night-7"},
        timeout=10,
    )
    job = answer.json()["job_id"]
    service.wait_for(job)
    assert answer.headers["X-Request-Id"] == "night-7"
    web = (service.data / "log" / "web.log").read_text().splitlines()
    told = [json.loads(line) for line in web if "night-7" in line]
    assert [(line["method"], line["status"], line["job_id"]) for line in told] == [("POST", 202, job)]
    worker = (service.data / "log" / "worker.log").read_text().splitlines()
    assert [line for line in worker if "succeeded" in line and json.loads(line)["level"] == "info"]
