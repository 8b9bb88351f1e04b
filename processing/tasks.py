"""What workers do. Arguments are ids, every task may run twice, and a lost message costs only time."""

import logging

from celery import Task, shared_task
from kombu.exceptions import OperationalError

from . import execution, results, webhooks
from .models import IdempotencyKey, Job, WebhookDelivery
from .models.failures import error_body
from .models.status import Status

logger = logging.getLogger(__name__)

_AT_ONCE = 500
# A job that waits longer gets another message, so copies do not fill a long queue.
_MESSAGE_LIFE_SECONDS = 120


@shared_task
def run_job(job_id: str) -> None:
    """Work on a queued job. Does nothing if another worker has it or it has ended."""
    job = Job.objects.claim(job_id)
    if job is not None:
        execution.execute(job)
        wind_up(job)


@shared_task(soft_time_limit=60, time_limit=90)
def deliver_webhook(delivery_id: int) -> None:
    """One attempt to deliver, if it is due."""
    delivery = WebhookDelivery.objects.claim(delivery_id)
    if delivery is not None:
        answer = webhooks.attempt_safely(delivery)
        delivery.record_attempt(answer.outcome, response_status=answer.response_status, note=answer.note)


@shared_task
def sweep() -> None:
    """Find what fell through: jobs of lost workers, messages that went missing, webhooks that are due."""
    for job in Job.objects.lost()[:_AT_ONCE]:
        if job.give_up_for_lost():
            wind_up(job)
    for job in Job.objects.due()[:_AT_ONCE]:
        dispatch(job)
    for delivery in WebhookDelivery.objects.due()[:_AT_ONCE]:
        _send(deliver_webhook, delivery.pk)


@shared_task
def expire_results() -> None:
    """Delete the files of results past their expiry, and what killed workers and old keys left behind."""
    for job in Job.objects.with_expired_result()[:_AT_ONCE]:
        if results.delete_attempts(job):
            job.forget_result()
    IdempotencyKey.objects.outlived().delete()
    execution.remove_stale_work_directories()


def cancel(job: Job, message: str, actor: str = "") -> bool:
    """End a job that is not finished and all that belongs to it. False if it is finished.

    `message` is for the caller, `actor` is the member of staff who cancels.
    """
    if not job.cancel(error_body("CANCELED", message, retryable=False), actor):
        return False
    wind_up(job)
    return True


def retry(job: Job, actor: str) -> bool:
    """Let a failed job run again, at once. False if it has not failed. `actor` is the member of staff."""
    if not job.retry(actor):
        return False
    dispatch(job)
    return True


def wind_up(job: Job) -> None:
    """What follows the end of a job: a failed one leaves no file, and the webhook is sent."""
    if job.status == Status.FAILED:
        results.delete_attempts(job)
    send_deliveries_of(job)


def dispatch(job: Job) -> None:
    """Send a queued job to the workers. If the broker is away, the sweep does it later."""
    if _send(run_job, job.pk):
        job.note_dispatched()


def send_deliveries_of(job: Job) -> None:
    for delivery in WebhookDelivery.objects.due().filter(job=job):
        _send(deliver_webhook, delivery.pk)


def _send(task: "Task[..., None]", argument: str | int) -> bool:
    try:
        task.apply_async((argument,), retry=False, expires=_MESSAGE_LIFE_SECONDS)
    except OperationalError as error:
        logger.warning("the broker is away: %s", error)
        return False
    return True
