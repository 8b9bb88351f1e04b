"""Staff act on jobs through the verbs, and each act is logged with who did it."""

from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote  # an underscore stands for something in the admin's addresses
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import ApiKey
from processing.models import Job
from processing.results import storage_key
from processing.tasks import clean_up
from tests.processing.jobs import HOOK, claimed, completed, failed, files_below, queued, row, take_messages, verbs

JOBS = "/admin/processing/job/"


def run_action(client: Client, action: str, *jobs: Job) -> str:
    """The page that staff see after the action."""
    form = {"action": action, "_selected_action": [job.pk for job in jobs]}
    answer = client.post(JOBS, form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def acts() -> list[tuple[str, str, str]]:
    """(who, what, job) of every act that is logged."""
    return sorted(
        (entry.user.username, entry.change_message, entry.object_id or "") for entry in LogEntry.objects.all()
    )


@pytest.fixture
def reader(db: None) -> Client:
    """A member of staff who may only look."""
    user = User.objects.create_user("reader", password="-", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client = Client()
    client.force_login(user)
    return client


def test_unfinished_jobs_are_cancelled_and_the_others_left_alone(admin_client: Client, key: ApiKey) -> None:
    waiting, running, done, broken = jobs = [queued(key), claimed(key), completed(key), failed(key)]
    untouched = [row(done), row(broken)]
    page = run_action(admin_client, "cancel", *jobs)
    assert "Jobs cancelled: 2. Left alone, as their status does not allow it: 2." in page
    for job in (waiting, running):
        error = row(job)["error"]
        assert (row(job)["status"], error["code"]) == ("failed", "CANCELED")
        assert "operator" in error["message"]
        assert list(job.events.values_list("verb", "actor"))[-1] == ("cancel", "admin")
    assert [row(done), row(broken)] == untouched
    assert acts() == sorted(("admin", "cancelled", job.pk) for job in (waiting, running))


def test_cancelled_job_leaves_no_file_and_its_webhook_is_sent(admin_client: Client, key: ApiKey, storage: Path) -> None:
    job = claimed(key, webhook_url=HOOK)
    default_storage.save(storage_key(job, job.attempt), ContentFile(b"half"))
    run_action(admin_client, "cancel", job)
    clean_up()
    assert files_below(storage) == []
    assert take_messages() == ["deliver"]


def test_failed_job_is_queued_again_and_sent_to_the_workers(admin_client: Client, key: ApiKey) -> None:
    broken, done = failed(key), completed(key)
    page = run_action(admin_client, "retry", broken, done)
    assert "Jobs retried: 1. Left alone, as their status does not allow it: 1." in page
    assert row(broken)["status"] == "queued"
    assert row(done)["status"] == "completed"
    assert list(broken.events.values_list("verb", "actor"))[-1] == ("retry", "admin")
    assert take_messages() == ["work"]
    assert acts() == [("admin", "retried", broken.pk)]


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_staff_who_may_only_look_cannot_act(reader: Client, key: ApiKey, action: str) -> None:
    jobs = [queued(key), failed(key)]
    before = [row(job) for job in jobs]
    run_action(reader, action, *jobs)
    assert [row(job) for job in jobs] == before
    assert verbs(jobs[0]) == []
    assert acts() == []


@pytest.mark.parametrize("make", [queued, claimed, completed, failed])
def test_every_job_has_a_page_with_its_timeline(admin_client: Client, key: ApiKey, make: object) -> None:
    job = make(key)  # type: ignore[operator]
    page = admin_client.get(f"{JOBS}{quote(job.pk)}/change/").content.decode()
    assert job.pk in page
    timeline = page[page.index("events-group") :]
    assert all(verb in timeline for verb in verbs(job))
