"""What workers do. A task carries no argument, may run twice, and a lost message costs only time."""

import logging
from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError

from astra import logs

from . import execution, messages, reconcile, results, webhooks
from .models import IdempotencyKey, Job, WebhookDelivery
from .models.failures import error_body
from .models.signs import Sign

_AT_ONCE = 500
_SWEEP = "sweep"
_LONGEST_WALK = 6 * 3600  # seconds

logger = logging.getLogger(__name__)


class _Work(Task):  # type: ignore[type-arg]
    Request = "processing.workers.lost:WorkRequest"


class _Deliver(Task):  # type: ignore[type-arg]
    Request = "processing.workers.lost:DeliverRequest"


@shared_task(bind=True, base=_Work)
def work(self: _Work) -> None:
    """Take the job whose turn it is and work on it, then ask for the next one."""
    job = Job.objects.claim_next(*_taker(self))
    if job is None:
        return
    with logs.bound(job_id=job.pk):
        execution.execute(job)
        announce_end(job)
    if Job.objects.due().exists():
        messages.ask_for_work()


@shared_task(bind=True, base=_Deliver)
def deliver(self: _Deliver) -> None:
    """One attempt to deliver the webhook that is due first, then ask for the next one."""
    taken_by, worker = _taker(self)
    try:
        delivery = WebhookDelivery.objects.claim_next(taken_by, worker)
        if delivery is None:
            return
        with logs.bound(job_id=delivery.job_id):
            delivery.record_attempt(webhooks.attempt_safely(delivery))
    except (OperationalError, InterfaceError) as error:
        logger.warning("an attempt to deliver a webhook is not recorded, and made again: %s", error)
        execution.patiently(lambda: bool(WebhookDelivery.objects.under_way(taken_by=taken_by).set_free()))
    if WebhookDelivery.objects.due().exists():
        messages.ask_for_deliveries()


@shared_task
def sweep() -> None:
    """Find what fell through: jobs of lost workers, and parked ones that may go on."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    Sign.objects.give(_SWEEP, gap=lease)
    # After an outage workers that live get a lease's time to say so.
    if Sign.objects.is_steady(_SWEEP, lease):
        for job in Job.objects.lost()[:_AT_ONCE]:
            job.give_up_for_lost()
    Job.objects.unpark_where_there_is_room()


@shared_task
def clean_up() -> None:
    """Delete the files of jobs that failed or were cancelled. Stops at the first that the storage keeps."""
    for job in Job.objects.with_leftovers()[:_AT_ONCE]:
        if not results.delete_attempts(job):
            break
        job.forget_leftovers()


@shared_task
def expire_results() -> None:
    """Delete the files of results past their expiry, and what killed workers and old keys left behind."""
    while expired := list(Job.objects.with_expired_result()[:_AT_ONCE]):
        for job in expired:
            if not results.delete_attempts(job):
                return
            job.forget_result()
    IdempotencyKey.objects.outlived().delete()
    execution.remove_stale_work_directories()


@shared_task(soft_time_limit=_LONGEST_WALK, time_limit=_LONGEST_WALK + 60)
def reconcile_storage() -> None:
    """Once a day: no file without its row, and no row whose file is gone."""
    logger.info("%s", reconcile.reconcile())


def cancel(job: Job, message: str, actor: str = "") -> bool:
    """End a job that is not finished. False if it is finished. Its files are deleted by the control process.

    `message` is for the caller, `actor` is the member of staff who cancels.
    """
    if not job.cancel(error_body("CANCELED", message, retryable=False), actor):
        return False
    announce_end(job)
    return True


def retry(job: Job, actor: str) -> bool:
    """Let a failed job run again, at once. False if it may not. `actor` is the member of staff."""
    if not job.retry(actor):
        return False
    messages.ask_for_work()
    return True


def announce_end(job: Job) -> None:
    """Send the webhook of a job that has ended."""
    if job.is_finished and job.webhook_url:
        messages.ask_for_deliveries()


def _taker(task: "Task[Any, Any]") -> tuple[str, str]:
    """The message that a task was asked for by, and the name of the worker that has it."""
    return task.request.id or "", task.request.hostname or ""
