"""Filters of the job list. None of them reads more of the table than its choices need."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

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
    """By typing a part of the name: there may be thousands of accounts."""

    title = "account"
    parameter_name = "account__id__exact"
    template = "admin/processing/job/account_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Job], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self._site = model_admin.admin_site

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        chosen = self.value()
        return queryset.filter(account=int(chosen)) if chosen and chosen.isdecimal() else queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # its own template
        """One, which is the field to type in, and the other filters to keep."""
        others = {name: value for name, value in changelist.params.items() if name not in (self.parameter_name, "p")}
        yield {"field": self._field(), "others": others, "is_chosen": bool(self.value())}

    def _field(self) -> str:
        account = Job._meta.get_field("account")
        widget = AutocompleteSelect(account, self._site, attrs={"aria-label": "account"})
        field = forms.ModelChoiceField(account.related_model._default_manager.all(), required=False, widget=widget)
        chosen = self.value()
        return str(field.widget.render(self.parameter_name, chosen if (chosen or "").isdecimal() else None))
