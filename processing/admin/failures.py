"""Failures of the last week in groups: by code, by the stage of the work, and by provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Now, TruncDay
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from ..models import Job
from ..models.status import Status
from . import cells
from .job_actions import RETRY, act_on, confirmation, may_operate

_BY = ("error_code", "stage", "provider")


@dataclass(frozen=True, kw_only=True)
class Group:
    error_code: str
    stage: str
    provider: str
    today: int  # since midnight (UTC)
    day: int
    week: int
    accounts: int
    first: datetime
    last: datetime
    example: str

    @property
    def jobs_url(self) -> str:
        """All of its jobs in the list, and those of other stages."""
        chosen = urlencode({"error_code": self.error_code, "provider": self.provider})
        return f"{reverse('admin:processing_job_changelist')}?{chosen}"

    @property
    def example_url(self) -> str:
        return cells.job_url(self.example)


def groups() -> list[Group]:
    """The most frequent of the last day first."""
    rows = _failed().order_by().values(*_BY)
    counted = rows.annotate(
        today=Count("pk", filter=Q(completed_at__gte=TruncDay(Now()))),
        day=Count("pk", filter=Q(completed_at__gte=Now() - timedelta(days=1))),
        week=Count("pk"),
        accounts=Count("account", distinct=True),
        first=Min("completed_at"),
        last=Max("completed_at"),
        example=Max("pk"),
    )
    return [Group(**row) for row in counted.order_by("-day", "-week", *_BY)]


def failures_page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("processing.view_job"):
        raise PermissionDenied
    shown = {"title": "Failures of the last week", "groups": groups(), "may_operate": may_operate(request)}
    return TemplateResponse(request, "admin/processing/failures.html", {**site.each_context(request), **shown})


def retry_group(request: HttpRequest) -> HttpResponse:
    """Retry all jobs of one group."""
    if not may_operate(request):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    chosen = {name: request.POST.get(name, "") for name in _BY}
    jobs = _jobs_of(chosen)
    answer = confirmation(request, RETRY, jobs, {name: [value] for name, value in chosen.items()})
    if answer is not None:
        return answer
    act_on(request, RETRY, jobs)
    return redirect("failures")


def _failed() -> QuerySet[Job]:
    """Of the last week, without those that somebody cancelled."""
    week = Job.objects.filter(status=Status.FAILED, completed_at__gte=Now() - timedelta(days=7))
    return week.exclude(error_code="CANCELED")


def _jobs_of(group: Mapping[str, str]) -> QuerySet[Job]:
    return _failed().filter(**group)
