"""Accounts: plan and limits, usage, and the secret of their webhooks."""

from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from ..models import Account
from .shown_once import shown_once
from .usage_chart import usage_chart


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    list_display = ["name", "plan", "created_at"]
    list_filter = ["plan"]
    search_fields = ["name"]
    ordering = ["name"]
    readonly_fields = ["webhook_secret_rolled_at", "created_at"]
    actions = ["roll_webhook_secret"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        shown = {} if account is None else {"usage": usage_chart(account), "limits": asdict(account.limits)}
        return super().change_view(request, object_id, form_url, shown)

    @admin.action(description="Roll the webhook secret: the old one signs 24 hours more", permissions=["change"])
    def roll_webhook_secret(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        secrets = []
        for account in queryset:
            secrets.append((account.name, account.roll_webhook_secret()))
            self.log_change(request, account, "webhook secret rolled")
        return shown_once(request, "New webhook secrets", secrets)
