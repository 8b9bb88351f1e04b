"""The pixels of results are counted for the key that asked for them."""

import pytest
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.execution import execute
from tests.processing.jobs import claimed


@pytest.mark.usefixtures("sandbox_of_jobs")
def test_pixels_of_results_are_counted_for_the_key(api: APIClient, key: ApiKey) -> None:
    job = claimed(key)
    execute(job)
    job.refresh_from_db()
    assert job.result is not None
    height, width = job.result["proj:shape"]
    today = api.get("/api/v1/account").json()["usage"]["today"]
    assert today["megapixels"] == pytest.approx(height * width / 1e6, abs=0.001)
