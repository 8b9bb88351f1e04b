"""Filters of the job list. None of them reads more of the table than its choices need."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from accounts.models import Account

from ..models import Job
from ..models.status import Status
from ..raster.operations import all_operations


class ErrorCodeFilter(admin.SimpleListFilter):
    """The codes of the last week, with how often each came within a day."""

    title = "error code (last day)"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        failed = Job.objects.filter(status=Status.FAILED, completed_at__gte=Now() - timedelta(days=7)).order_by()
        within_a_day = Count("pk", filter=Q(completed_at__gte=Now() - timedelta(days=1)))
        counts = dict(failed.values_list("error_code").annotate(count=within_a_day))
        if (chosen := self.value()) and chosen not in counts:
            counts[chosen] = 0
        return [(code, f"{code} ({count})") for code, count in sorted(counts.items())]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(status=Status.FAILED, error_code=self.value()) if self.value() else queryset


class OperationFilter(admin.SimpleListFilter):
    title = parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in all_operations()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(operation=self.value()) if self.value() else queryset


class ProviderFilter(admin.SimpleListFilter):
    title = parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in settings.STAC_ROOTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class AccountFilter(admin.SimpleListFilter):
    """By typing a part of the name, as there may be thousands of accounts: a script offers those that fit."""

    title = parameter_name = "account"
    template = "admin/processing/job/account_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if not self.value():
            return queryset
        named = Account.objects.filter(name=self.value()).values_list("pk", flat=True)
        return queryset.filter(account__in=list(named))  # its number, by which the planner knows how many jobs it has

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # its own template
        """One, which is the field to type in, and the other filters to keep."""
        others = {name: values for name, values in changelist.filter_params.items() if name not in ("account", "p")}
        without = changelist.get_query_string(remove=["account"])
        yield {"others": others, "chosen": self.value() or "", "without": without}
