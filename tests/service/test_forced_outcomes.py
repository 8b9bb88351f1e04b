"""Scenes that force an outcome, through a served instance, its queue and its webhooks."""

import json
from typing import Any

import requests

from tests.servers import Receiver, wait_until

from .conftest import Service

OUTCOMES = {
    "TEST_OK": "completed",
    "TEST_NOT_FOUND": "SCENE_NOT_FOUND",
    "TEST_AMBIGUOUS": "AMBIGUOUS_SCENE_ID",
    "TEST_UNREADABLE": "SCENE_UNREADABLE",
    "TEST_NO_DATA": "NO_VALID_PIXELS",
    "TEST_PROVIDER_DOWN": "PROVIDER_UNAVAILABLE",
    "TEST_CLOUDY": "completed",
}


def outcome_of(job: dict[str, Any]) -> str:
    return str(job["error"]["code"] if job["error"] else job["status"])


def test_each_ends_as_it_is_named_and_says_so_by_webhook(service: Service) -> None:
    with Receiver() as receiver:
        jobs = {
            service.submit(scene_ids=[f"sentinel-2:{name}"], webhook_url=receiver.hook)["job_id"]: name
            for name in OUTCOMES
        }
        wait_until(lambda: len(receiver.received) == len(jobs), 60, "all webhooks")
        told = {body["job_id"]: body for _, content in receiver.received for body in [json.loads(content)]}
    assert {jobs[job]: outcome_of(body) for job, body in told.items()} == OUTCOMES
    by_name = {jobs[job]: body for job, body in told.items()}
    assert by_name["TEST_PROVIDER_DOWN"]["attempt"] == 3
    assert any("cloud" in warning for warning in by_name["TEST_CLOUDY"]["warnings"])
    assert len(by_name["TEST_AMBIGUOUS"]["error"]["details"]["candidates"]) == 2


def test_slow_job_shows_its_progress_and_can_be_cancelled(service: Service) -> None:
    job_id = service.submit(scene_ids=["sentinel-2:TEST_SLOW"])["job_id"]
    seen: set[int] = set()

    def has_shown_some() -> bool:
        seen.add(service.poll(job_id)["progress"])
        return len(seen) > 3

    wait_until(has_shown_some, 60, "progress")
    assert service.poll(job_id)["status"] == "processing"
    requests.delete(f"{service.url}/api/v1/process/{job_id}", headers=service.headers, timeout=10).raise_for_status()
    assert outcome_of(service.wait_for(job_id)) == "CANCELED"


def test_scene_without_overlap(service: Service) -> None:
    pair = ["sentinel-2:TEST_OK", "sentinel-2:TEST_NO_OVERLAP"]
    job = service.wait_for(service.submit(operation="change_detection", scene_ids=pair)["job_id"])
    assert outcome_of(job) == "SCENES_DO_NOT_OVERLAP"
