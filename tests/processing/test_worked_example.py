"""The worked example of CONTRIBUTING.md: a new index in one file is listed, checked and computed by a job."""

from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from processing.models import Job
from processing.tasks import work
from tests.processing.jobs import SCENE, URL
from tests.worked_example import in_place, source


def test_example_is_short() -> None:
    assert len(source().splitlines()) <= 25


@pytest.mark.django_db
def test_new_index_is_listed_and_completes_a_job(
    api: APIClient, settings: Settings, sandbox: Path, tmp_path: Path
) -> None:
    settings.SANDBOX_DIR = sandbox
    # The OpenAPI document is that of the operations which were there when the process began.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("tests.")]
    body = {"operation": "ndwi", "scene_ids": [SCENE], "params": {"colormap": "viridis"}}
    assert api.post(URL, body, format="json").json()["error"]["code"] == "VALIDATION_ERROR"
    with in_place(tmp_path):
        listed = {each["name"]: each for each in api.get("/api/v1/operations").json()["operations"]}
        assert listed["ndwi"]["title"] == "Normalized Difference Water Index"
        job_id = api.post(URL, body, format="json").json()["job_id"]
        work()
        job = Job.objects.get(pk=job_id)
        assert (job.status, job.error) == ("completed", None)
        poll = api.get(f"{URL}/{job_id}").json()
    assert poll["status"] == "completed"
    assert -1 <= poll["result"]["statistics"]["minimum"] < 0 < poll["result"]["statistics"]["maximum"] <= 1
