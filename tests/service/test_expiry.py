"""Expired results: the file is deleted, the job is kept."""

import requests

from tests.servers import wait_until

from .conftest import NewService
from .instances import result_files


def test_expired_result_is_deleted_and_its_link_is_gone(new_service: NewService) -> None:
    service = new_service({"ASTRA_RESULT_TTL": "3", "ASTRA_EXPIRY_SWEEP_SECONDS": "0.3"}).start()
    job = service.wait_for(service.submit()["job_id"])
    link = job["result"]["href"]
    assert requests.head(link, timeout=10).status_code == 200
    assert result_files(service, job["job_id"])

    wait_until(lambda: not result_files(service, job["job_id"]), 30, "the file's end")

    answer = requests.get(link, timeout=10)
    assert answer.status_code == 410
    assert answer.json()["error"]["code"] == "EXPIRED"
    later = service.poll(job["job_id"])
    assert later["status"] == "completed"
    expired = {"href": None, "preview_url": None, "viewer_url": None, "expired": True, "quality": None, "notes": None}
    assert later["result"] == {**job["result"], **expired}
    assert later["result"]["statistics"]["valid_percent"] > 0
    assert {**later, "result": None} == {**job, "result": None}
