"""The database refuses rows that no verb would write, even from a raw UPDATE."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Value

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.jobs import ERROR, claimed, completed, failed, queued, row

TIME = datetime(2025, 1, 15, 19, tzinfo=UTC)
BROKEN: list[tuple[str, Callable[[ApiKey], Job], dict[str, Any]]] = [
    ("job_has_a_known_status", queued, {"status": "waiting"}),
    ("job_has_a_known_mode", queued, {"mode": "demo"}),
    ("job_progress_is_a_percentage", claimed, {"progress": 101}),
    ("job_is_finished_with_a_time", completed, {"completed_at": None}),
    ("job_is_finished_with_a_time", failed, {"completed_at": None}),
    ("job_is_finished_with_a_time", queued, {"completed_at": TIME}),
    ("job_is_finished_with_a_time", claimed, {"completed_at": TIME}),
    ("job_is_processing_on_a_lease", claimed, {"lease_until": None}),
    ("job_is_processing_on_a_lease", queued, {"lease_until": TIME}),
    ("job_is_processing_on_a_lease", completed, {"lease_until": TIME}),
    ("job_is_processing_on_a_lease", queued, {"status": "processing"}),
    ("job_is_completed_with_a_result", completed, {"result": None}),
    ("job_is_completed_with_a_result", completed, {"expires_at": None}),
    ("job_is_failed_with_an_error", failed, {"error": None}),
    ("job_is_failed_with_an_error", queued, {"error": ERROR}),
    ("job_is_failed_with_an_error", completed, {"error": ERROR}),
    ("job_is_failed_with_an_error", queued, {"error": Value(None, JSONField())}),
    ("job_has_a_file_once_completed", queued, {"result_key": "jobs/a.tif"}),
    ("job_has_a_file_once_completed", failed, {"result_key": "jobs/a.tif"}),
]


@pytest.mark.parametrize(
    ("constraint", "make", "change"), BROKEN, ids=[f"{row[1].__name__} {row[2]}" for row in BROKEN]
)
def test_impossible_row_is_refused(
    key: ApiKey, constraint: str, make: Callable[[ApiKey], Job], change: dict[str, Any]
) -> None:
    job = make(key)
    before = row(job)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)
    assert row(job) == before


def test_completed_job_whose_file_is_deleted_is_kept(key: ApiKey) -> None:
    job = completed(key)
    job.forget_result()
    assert row(job)["result_key"] == ""
