"""What staff can do to jobs, one or many: through the verbs. Who did it stands in the timeline and in Django's log."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.contrib import messages as banners
from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from .. import messages, tasks
from ..models import Job
from ..models.status import Status
from ..results import is_kept

# That one click acts on, so that it is answered in time.
MOST_AT_ONCE = 1000
_CONFIRMED = "confirmed"
# Errors that lie in what was asked for: the same job ends with them however often it runs.
LASTING = frozenset(
    {
        *("AMBIGUOUS_SCENE_ID", "SAME_SCENE_TWICE", "BAND_NOT_FOUND", "OFFSET_UNKNOWN"),
        *("AOI_OUTSIDE_SCENE", "SCENES_DO_NOT_OVERLAP", "NO_VALID_PIXELS", "SCENE_TOO_LARGE"),
    }
)
_OPERATE = ("processing.change_job", "processing.change_webhookdelivery")


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`act` returns False if the job does not allow it; `fits` says so before, for the buttons of its page."""

    name: str
    title: str
    done: str
    fits: Callable[[Job], bool]
    act: Callable[[Job, str], bool]


def may_operate(request: HttpRequest) -> bool:
    """Acting on jobs takes the permission to change them, although no form changes them."""
    return request.user.has_perms(_OPERATE)


def act_on(request: HttpRequest, verb: Verb, jobs: QuerySet[Job]) -> None:
    """Apply the verb to each job, and tell how many it does not fit."""
    chosen = list(jobs[: MOST_AT_ONCE + 1])
    moved = [job for job in chosen[:MOST_AT_ONCE] if verb.act(job, request.user.get_username())]
    _log(request, verb, moved)
    left_alone = min(len(chosen), MOST_AT_ONCE) - len(moved)
    note = f" Left alone, as their status does not allow it: {left_alone}." if left_alone else ""
    more = f" One click acts on {MOST_AT_ONCE}; there are more." if len(chosen) > MOST_AT_ONCE else ""
    level = banners.SUCCESS if moved else banners.WARNING
    banners.add_message(request, level, f"Jobs {verb.done}: {len(moved)}.{note}{more}")


def confirmation(
    request: HttpRequest, verb: Verb, jobs: QuerySet[Job], fields: Mapping[str, Iterable[str]]
) -> HttpResponse | None:
    """A page that asks once more, if the verb is to retry jobs whose error a retry cannot cure. Else None.

    `fields` are what the form has to send again.
    """
    if verb is not RETRY or _CONFIRMED in request.POST:
        return None
    lasting = list(jobs.filter(status=Status.FAILED, error_code__in=LASTING)[:20])
    if not lasting:
        return None
    shown = {"title": "Retry these jobs?", "jobs": lasting, "fields": fields, "opts": Job._meta}
    context = {**site.each_context(request), **shown}
    return TemplateResponse(request, "admin/processing/job/confirm_retry.html", context)


def _log(request: HttpRequest, verb: Verb, jobs: list[Job]) -> None:
    if jobs and request.user.pk is not None:
        LogEntry.objects.log_actions(request.user.pk, jobs, CHANGE, change_message=verb.done)


def _cancel(job: Job, actor: str) -> bool:
    return tasks.cancel(job, "The job was cancelled by the operator.", actor)


def _expire(job: Job, actor: str) -> bool:
    if not job.discard_result(actor):
        return False
    messages.ask_to_expire()
    return True


def _resend(job: Job, actor: str) -> bool:
    delivery = job.deliveries.last()
    if delivery is None:
        return False
    delivery.send_again(actor)
    messages.ask_for_deliveries()
    return True


RETRY = Verb(
    name="retry",
    title="Retry",
    done="retried",
    fits=lambda job: job.status == Status.FAILED and job.error_code != "CANCELED",
    act=tasks.retry,
)
CANCEL = Verb(name="cancel", title="Cancel", done="cancelled", fits=lambda job: not job.is_finished, act=_cancel)
EXPIRE = Verb(name="expire", title="Expire now", done="expired", fits=is_kept, act=_expire)
EXTEND = Verb(
    name="extend",
    title="Extend",
    done="extended",
    fits=is_kept,
    act=lambda job, actor: job.extend_result(actor),
)
RESEND = Verb(
    name="resend",
    title="Send webhook again",
    done="told to their webhooks again",
    fits=lambda job: job.is_finished and job.deliveries.exists(),
    act=_resend,
)
VERBS: Mapping[str, Verb] = {verb.name: verb for verb in (RETRY, CANCEL, EXPIRE, EXTEND, RESEND)}
