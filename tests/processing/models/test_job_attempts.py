"""The attempts of a job: progress, lease, release, and retry by staff."""

from datetime import timedelta

from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import Job, WebhookDelivery
from processing.models.failures import error_body
from tests.processing.clock import Clock
from tests.processing.jobs import AWAY, HOOK, claim, claim_again, claimed, failed, finish, lose_worker, queued, row

# --- Progress and lease ----------------------------------------------------------------------------------------------


def test_progress_never_falls(key: ApiKey) -> None:
    job = claimed(key)
    shown = []
    for percent in (10, 50, 30, 50, 0, 60):
        assert job.report_progress(percent)
        shown.append(row(job)["progress"])
    assert shown == [10, 50, 50, 50, 50, 60]
    job.release(AWAY, timedelta(0))
    again = claim_again(job)
    again.report_progress(5)
    assert row(job)["progress"] == 60


def test_sign_of_life_renews_the_lease(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.LEASE_SECONDS = 30
    job = claimed(key)
    for sign in (job.heartbeat, lambda: job.report_progress(1), job.heartbeat):
        clock.move(seconds=29)
        assert sign()
        assert not Job.objects.lost().exists()
    clock.move(seconds=31)
    assert list(Job.objects.lost()) == [job]


def test_completed_job_has_100_percent(key: ApiKey) -> None:
    job = claimed(key)
    job.report_progress(40)
    finish(job)
    assert row(job)["progress"] == 100


# --- Trying again ----------------------------------------------------------------------------------------------------


def test_released_job_is_due_later(key: ApiKey, clock: Clock) -> None:
    job = claimed(key)
    assert job.release(AWAY, timedelta(seconds=40))
    clock.move(seconds=39)
    assert claim(job) is None
    assert not Job.objects.due().exists()
    clock.move(seconds=1)
    assert list(Job.objects.due()) == [job]
    again = claim_again(job)
    assert again.attempt == 2


def test_job_of_a_living_worker_is_not_given_up(key: ApiKey) -> None:
    job = claimed(key)
    before = row(job)
    assert not job.give_up_for_lost()
    assert row(job) == before


def test_attempt_of_a_lost_worker_does_not_count_but_the_tenth_loss_ends_the_job(
    key: ApiKey, clock: Clock, settings: Settings
) -> None:
    settings.JOB_ATTEMPTS = 2
    job = queued(key, webhook_url=HOOK)
    for loss in range(1, 10):
        assert lose_worker(claim_again(job), clock).give_up_for_lost()
        stored = row(job)
        assert (stored["status"], stored["attempt"], stored["losses"]) == ("queued", 0, loss)
    assert not WebhookDelivery.objects.exists()
    assert lose_worker(claim_again(job), clock).give_up_for_lost()
    stored = row(job)
    assert stored["status"] == "failed"
    assert stored["error"]["code"] == "WORKER_LOST"
    assert set(stored["error"]) == {"code", "message", "details"}
    assert stored["error"]["details"]["retryable"] is True
    assert job.deliveries.get().event == "job.failed"


def test_job_that_crashes_its_workers_fails_after_its_attempts(key: ApiKey, settings: Settings) -> None:
    settings.JOB_ATTEMPTS = 2
    job = queued(key)
    for status in ("queued", "failed"):
        assert claim_again(job).charge_loss("the worker was lost")
        assert row(job)["status"] == status
    assert row(job)["error"]["code"] == "WORKER_LOST"


def test_time_in_which_nobody_worked_does_not_count(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.JOB_TIME_LIMIT = 60
    job = claimed(key)
    clock.move(minutes=15)
    (lost,) = Job.objects.lost()
    assert lost.give_up_for_lost()
    assert row(job)["status"] == "queued"


def test_worker_that_has_just_given_a_sign_keeps_its_job(key: ApiKey, clock: Clock) -> None:
    job = claimed(key)
    lost = lose_worker(job, clock)
    assert job.heartbeat()
    assert not lost.give_up_for_lost()
    assert row(job)["status"] == "processing"


def test_lost_job_past_its_time_limit_fails_timed_out(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.JOB_TIME_LIMIT = 60
    job = claimed(key)
    clock.move(seconds=121)
    job.heartbeat()
    assert lose_worker(job, clock).give_up_for_lost()
    assert row(job)["error"]["code"] == "TIMED_OUT"


def test_retried_job_has_as_many_attempts_as_a_new_one(key: ApiKey, settings: Settings) -> None:
    settings.JOB_ATTEMPTS = 2
    settings.JOB_TIME_LIMIT = 86_400
    job = failed(key)
    assert job.retry("staff")
    stored = row(job)
    assert (stored["status"], stored["error"], stored["completed_at"]) == ("queued", None, None)
    assert list(Job.objects.due()) == [job]
    for attempt, status in ((2, "queued"), (3, "failed")):
        taken = claim_again(job)
        assert taken.attempt == attempt
        assert taken.charge_loss("the worker was lost")
        assert row(job)["status"] == status


def test_job_that_its_owner_cancelled_is_not_retried(key: ApiKey) -> None:
    job = claimed(key)
    assert job.cancel(error_body("CANCELED", "The job was cancelled by its owner.", retryable=False))
    assert not job.retry("staff")
    assert row(job)["status"] == "failed"


def test_job_retried_a_day_later_has_its_full_time_again(key: ApiKey, clock: Clock) -> None:
    job = failed(key)
    clock.move(days=1)
    assert job.retry("staff")
    taken = claim_again(job)
    assert lose_worker(taken, clock).give_up_for_lost()
    assert row(job)["status"] == "queued", "its time was counted from its first start"


def test_retried_job_that_completes_shows_no_error(key: ApiKey) -> None:
    job = failed(key, webhook_url=HOOK)
    job.retry("staff")
    taken = claim_again(job)
    assert finish(taken)
    stored = row(job)
    assert (stored["status"], stored["error"]) == ("completed", None)
    assert list(job.deliveries.values_list("event", flat=True)) == ["job.failed", "job.completed"]
