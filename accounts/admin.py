"""Accounts and keys for staff. A secret is shown once, in the answer to what made it: a message travels in a cookie."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from .keys import Mode
from .models import Account, ApiKey, KeyEnded


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    list_display = ["name", "plan", "created_at"]
    list_filter = ["plan"]
    search_fields = ["name"]
    readonly_fields = ["webhook_secret_rolled_at", "created_at"]
    actions = ["roll_webhook_secret"]

    @admin.action(description="Roll the webhook secret: the old one signs 24 hours more", permissions=["change"])
    def roll_webhook_secret(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        lines = ["New webhook secrets, shown only now:"]
        for account in queryset:
            lines.append(f"{account.name}: {account.roll_webhook_secret()}")
            self.log_change(request, account, "webhook secret rolled")
        return _shown_once(lines)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    list_display = ["__str__", "account", "scope", "label", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["mode", "scope"]
    search_fields = ["account__name", "label", "last_four"]
    readonly_fields = ["last_four", "created_at", "last_used_at", "rolled_at", "revoked_at"]
    actions = ["revoke", "roll"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        """What a key is for is set when it is made; later only its label changes."""
        return [*self.readonly_fields, *(["account", "mode", "scope", "expires_at"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        mode: Mode = "test" if obj.is_test else "live"
        issued, obj.new_text = ApiKey.objects.issue(
            obj.account, mode, obj.label, scope=obj.scope, expires_at=obj.expires_at
        )
        obj.pk = issued.pk

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return _shown_once(["The new key, shown only now:", obj.new_text])

    @admin.action(description="Revoke the selected keys at once", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [key for key in queryset if key.revoke()]
        for key in revoked:
            self.log_change(request, key, "revoked")
        self.message_user(request, f"{len(revoked)} keys no longer work.")

    @admin.action(description="Roll: make a new key, the old one works 24 hours more", permissions=["change"])
    def roll(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse:
        lines = ["New keys, shown only now:"]
        for key in queryset:
            try:
                _, text = key.roll()
            except KeyEnded as error:
                lines.append(f"{key}: {error}")
                continue
            self.log_change(request, key, "rolled")
            lines.append(f"{key}, {key.label or 'without label'}: {text}")
        return _shown_once(lines)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are revoked instead, so that their jobs keep them."""
        return False


def _shown_once(lines: list[str]) -> HttpResponse:
    return HttpResponse("\n".join(lines), content_type="text/plain")
