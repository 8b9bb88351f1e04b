"""What workers do. Arguments are ids, every task may run twice, and a lost message costs only time."""

import logging

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from . import execution, results, webhooks
from .models import IdempotencyKey, Job, Status, WebhookDelivery

logger = logging.getLogger(__name__)

_AT_ONCE = 500
# Whoever still waits by then has been sent another message, so that a long queue does not fill up with copies.
_MESSAGE_LIFE_SECONDS = 120


@shared_task
def run_job(job_id: str) -> None:
    """Work on a queued job; nothing happens where another worker has it or it has ended."""
    job = Job.objects.claim(job_id)
    if job is not None:
        execution.execute(job)
        send_deliveries_of(job)


@shared_task(soft_time_limit=60, time_limit=90)
def deliver_webhook(delivery_id: int) -> None:
    """One attempt to deliver, if it is due."""
    delivery = WebhookDelivery.objects.claim(delivery_id)
    if delivery is not None:
        outcome = webhooks.attempt_safely(delivery)
        delivery.record_attempt(outcome=outcome.result, response_status=outcome.response_status, note=outcome.note)


@shared_task
def sweep() -> None:
    """Find what fell through: jobs of lost workers, messages that went missing, webhooks that are due."""
    for job in Job.objects.lost()[:_AT_ONCE]:
        if job.give_up_for_lost() and job.status == Status.FAILED:
            results.delete_attempts(job)
            send_deliveries_of(job)
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
    IdempotencyKey.objects.outlived(timezone.now()).delete()
    execution.remove_stale_work_directories()


def dispatch(job: Job) -> None:
    """Tell the workers of a queued job. Where the broker is away, the sweep does it later."""
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
