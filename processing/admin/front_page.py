"""The first page of the admin: what waits, what runs, what failed, and whether all parts of the service are there."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.contrib.admin import site
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import BigIntegerField, Count, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncHour
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from astra.pages import Chart, Part, column_chart

from ..models import Job, WebhookDelivery
from ..models.signs import Sign
from ..models.status import DeliveryStatus, Status
from ..watch import readiness
from ..watch.present import Signs, Waiting, waiting_jobs
from ..watch.worker_signs import PREFIX
from . import cells
from .failures import Group, groups
from .job_actions import may_operate

_HOURS = 24
_MOST_AT_WORK = 200
_BYTES_KEPT_SECONDS = 60
_CHART_KEPT_SECONDS = 30
_ALIVE_SECONDS = 60.0
_FULL = 0.9


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker by its name, the seconds since its last sign of life, and the jobs that it works on."""

    name: str
    age: float | None
    jobs: list[Job]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of the first row. `is_bad`: somebody has to act."""

    title: str
    value: str
    url: str = ""
    is_bad: bool = False


def front_page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("processing.view_job"):
        return site.index(request)
    ages, waiting, failures, at_work = Sign.objects.ages(), waiting_jobs(), groups(), _at_work()
    report = readiness.report_of(Signs.of(ages), waiting)
    shown = {
        "figures": _figures(report, waiting, failures),
        "hours": jobs_an_hour(),
        "workers": _workers(ages, at_work),
        "groups": failures,
        "parts": _parts(report),
        "may_operate": may_operate(request),
    }
    return site.index(request, extra_context={"front": shown})


def jobs_an_hour() -> Chart:
    """Of the last 24 hours, by when they ended."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=back) for back in reversed(range(_HOURS))]
    counts = cache.get_or_set(f"ended-since-{hours[0]:%H}", lambda: _ended_since(hours[0]), _CHART_KEPT_SECONDS) or {}
    columns = [[_part(counts, hour, status) for status in (Status.COMPLETED, Status.FAILED)] for hour in hours]
    labels = (f"{hours[0]:%H:%M} UTC", f"{hours[_HOURS // 2]:%H:%M}", "now")
    return column_chart("Jobs that ended in each of the last 24 hours", columns, labels, width=960)


def _ended_since(first: datetime) -> dict[tuple[datetime, str], int]:
    """How many jobs ended in each hour, by (hour, status): of a day there may be a hundred thousand to count."""
    ended = Job.objects.filter(completed_at__gte=first).order_by().annotate(hour=TruncHour("completed_at", tzinfo=UTC))
    rows = ended.values_list("hour", "status").annotate(n=Count("pk"))
    return {(hour, status): count for hour, status, count in rows}


def _part(counts: Mapping[tuple[datetime, str], int], hour: datetime, status: Status) -> Part:
    count = counts.get((hour, status), 0)
    return Part(value=count, title=f"{hour:%H:%M}: {count:,} {status}", kind=str(status))


def _figures(report: readiness.Report, waiting: Iterable[Waiting], failures: Iterable[Group]) -> list[Figure]:
    jobs, oldest = reverse("admin:processing_job_changelist"), report.oldest_due_job_seconds
    at_work, failed_today = Job.objects.at_work().count(), sum(group.today for group in failures)
    return [
        Figure(title="queued", value=f"{sum(each.queued for each in waiting):,}", url=f"{jobs}?status__exact=queued"),
        Figure(title="running", value=f"{at_work:,}", url=f"{jobs}?status__exact=processing"),
        Figure(title="failed today", value=f"{failed_today:,}", url=reverse("failures"), is_bad=failed_today > 0),
        Figure(
            title="oldest waiting",
            value="none" if oldest is None else cells.length(timedelta(seconds=oldest)),
            is_bad="queue" in report.degraded,
        ),
    ]


def _at_work() -> list[Job]:
    shown = ("worker", "operation", "progress", "attempt_started_at", "status", "account__name")
    return list(Job.objects.at_work().select_related("account").only(*shown).order_by("worker")[:_MOST_AT_WORK])


def _workers(ages: Mapping[str, float], at_work: Iterable[Job]) -> list[Worker]:
    """Those that live, and those that have jobs all the same."""
    jobs: dict[str, list[Job]] = {}
    for job in at_work:
        jobs.setdefault(job.worker, []).append(job)
    alive = {
        name.removeprefix(PREFIX): age
        for name, age in ages.items()
        if name.startswith(PREFIX) and age <= _ALIVE_SECONDS
    }
    return [Worker(name=name, age=alive.get(name), jobs=jobs.get(name, [])) for name in sorted({*alive, *jobs})]


def _parts(report: readiness.Report) -> list[Figure]:
    """The state of what the service stands on."""
    sweep = report.last_sweep_seconds
    return [
        Figure(title="database", value=report.database),
        Figure(title="broker", value=report.broker, is_bad="broker" in report.degraded),
        Figure(title="storage", value=report.storage, is_bad="storage" in report.degraded),
        Figure(
            title="last sweep",
            value="never" if sweep is None else f"{cells.length(timedelta(seconds=sweep))} ago",
            is_bad="sweep" in report.degraded,
        ),
        _webhooks(),
        Figure(title="results kept", value=cells.size(_kept_bytes())),
        *_disk(),
    ]


def _webhooks() -> Figure:
    count = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING).count()
    url = f"{reverse('admin:processing_webhookdelivery_changelist')}?status__exact={DeliveryStatus.PENDING}"
    return Figure(title="webhooks pending", value=f"{count:,}", url=url)


def _kept_bytes() -> int:
    """Of all results that are not deleted, summed at most once a minute."""
    return int(cache.get_or_set("kept-bytes", _sum_of_kept, _BYTES_KEPT_SECONDS) or 0)


def _sum_of_kept() -> int:
    sizes = Sum(Cast(KT("result__file:size"), BigIntegerField()), default=0)
    return int(Job.objects.exclude(result_key="").aggregate(bytes=sizes)["bytes"])


def _disk() -> Iterable[Figure]:
    """How full the disk of the results is, if they lie on one."""
    if not isinstance(default_storage, FileSystemStorage):
        return []
    folder = Path(default_storage.location)
    usage = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists()))
    full = usage.used / usage.total
    return [Figure(title="disk", value=f"{full:.0%} of {cells.size(usage.total)}", is_bad=full > _FULL)]
