"""Rows of the first release go on after an upgrade: nothing is lost, and every job is where it was."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Account, ApiKey
from processing.models import Job
from processing.tasks import expire_results
from tests.processing.clock import Clock
from tests.processing.jobs import ERROR, EXAMPLE, finish, lose_worker, stored_keys

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("processing", "0002_what_always_holds_of_a_job")]
NOW = datetime.now(UTC)


@pytest.fixture
def old_jobs() -> Iterator[Any]:
    """The Job of the release before, over its tables. Afterwards the database is as new again."""
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps.get_model("processing", "Job").objects
    upgrade()


def upgrade() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def write(jobs: Any, key: ApiKey, status: str, minute: int, **columns: Any) -> str:
    job = jobs.create(
        id=f"job_{status}{minute}",
        account_id=key.account_id,
        api_key_id=key.pk,
        mode="test",
        attempt_limit=3,
        origin="http://testserver",
        status=status,
        created_at=NOW - timedelta(minutes=60 - minute),
        **{name: EXAMPLE[name] for name in ("operation", "scene_ids", "params")},
        **columns,
    )
    return str(job.pk)


def test_jobs_in_all_states_go_on(old_jobs: Any, key: ApiKey, clock: Clock) -> None:
    Account.objects.filter(pk=key.account_id).update(plan="scale")
    late, early = write(old_jobs, key, "queued", 9), write(old_jobs, key, "queued", 5)
    at_work = write(old_jobs, key, "processing", 3, attempt=2, lease_until=NOW + timedelta(seconds=20), started_at=NOW)
    ended = {"completed_at": NOW, "expires_at": NOW + timedelta(hours=1)}
    name = default_storage.save("jobs/job_completed1/1/ndvi_output.tif", ContentFile(b"pixels"))
    done = write(old_jobs, key, "completed", 1, attempt=1, result={}, result_key=name, started_at=NOW, **ended)
    write(old_jobs, key, "failed", 2, attempt=3, error=ERROR, completed_at=NOW)
    upgrade()

    job = Job.objects.get(pk=at_work)
    assert finish(job), "its worker, which knows it by its attempt, may end it"
    assert [Job.objects.claim_next("a-message") for _ in range(3)] == [
        Job.objects.get(pk=early),
        Job.objects.get(pk=late),
        None,
    ]
    assert stored_keys() == [Job.objects.get(pk=done).result_key]
    assert Job.objects.get(status="failed").retry("staff")
    clock.move(hours=2)
    expire_results()
    assert stored_keys() == [], "files lie under the number that the claim has now"


def test_job_whose_worker_was_stopped_for_the_upgrade_is_found(old_jobs: Any, key: ApiKey, clock: Clock) -> None:
    write(old_jobs, key, "processing", 3, attempt=1, lease_until=NOW, started_at=NOW - timedelta(seconds=30))
    upgrade()
    assert lose_worker(Job.objects.get(), clock).give_up_for_lost()
    assert Job.objects.claim_next("a-message") is not None
