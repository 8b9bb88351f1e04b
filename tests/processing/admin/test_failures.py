"""Failures in groups, and all jobs of one retried at once."""

from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import ApiKey
from processing.models import Job
from processing.models.failures import Trace
from tests.processing.admin.staff import page
from tests.processing.jobs import AWAY, another_key, claimed, failed, queued, row

PATH, RETRY = "/admin/failures/", "/admin/failures/retry/"


def failed_at(stage: str, key: ApiKey, **fields: object) -> Job:
    job = claimed(key, **fields)
    assert job.fail(AWAY, trace=Trace(stage=stage))
    return job


def groups(client: Client) -> list[tuple[str, str, str, int, int]]:
    """(code, stage, provider, jobs, accounts) of each group."""
    found = client.get(PATH).context["groups"]
    return sorted((each.error_code, each.stage, each.provider, each.week, each.accounts) for each in found)


def test_failures_are_grouped_by_code_stage_and_provider(admin_client: Client, key: ApiKey) -> None:
    failed(key)
    failed_at("finding scenes", key)
    failed_at("finding scenes", another_key()[0])
    failed_at("finding scenes", key, scene_ids=["landsat:LC09_L2SP_044034_20250110_20250112_02_T1"])
    last = failed_at("opening files", key)
    assert groups(admin_client) == [
        ("PROVIDER_UNAVAILABLE", "finding scenes", "landsat", 1, 1),
        ("PROVIDER_UNAVAILABLE", "finding scenes", "sentinel-2", 2, 2),
        ("PROVIDER_UNAVAILABLE", "opening files", "sentinel-2", 1, 1),
        ("SCENE_UNREADABLE", "", "sentinel-2", 1, 1),
    ]
    assert last.pk in page(admin_client, PATH)


def test_cancelled_jobs_are_no_failures(admin_client: Client, key: ApiKey) -> None:
    job = queued(key)
    assert job.cancel({"code": "CANCELED", "message": "By its owner.", "details": {"retryable": False}})
    assert groups(admin_client) == []


def test_whole_group_is_retried_and_no_other(admin_client: Client, key: ApiKey) -> None:
    mine = [failed_at("finding scenes", key), failed_at("finding scenes", another_key()[0])]
    others = [failed_at("opening files", key), failed(key)]
    form = {"error_code": "PROVIDER_UNAVAILABLE", "stage": "finding scenes", "provider": "sentinel-2"}
    assert "Jobs retried: 2." in admin_client.post(RETRY, form, follow=True).content.decode()
    assert {row(job)["status"] for job in mine} == {"queued"}
    assert {row(job)["status"] for job in others} == {"failed"}
    assert LogEntry.objects.count() == 2


def test_group_that_a_retry_cannot_cure_is_asked_about_first(admin_client: Client, key: ApiKey) -> None:
    job = claimed(key)
    assert job.fail({"code": "SCENE_TOO_LARGE", "message": "Too large.", "details": {"retryable": False}})
    form = {"error_code": "SCENE_TOO_LARGE", "stage": "", "provider": "sentinel-2"}
    assert "Retry all the same" in admin_client.post(RETRY, form).content.decode()
    assert row(job)["status"] == "failed"
    admin_client.post(RETRY, {**form, "confirmed": "yes"})
    assert row(job)["status"] == "queued"
