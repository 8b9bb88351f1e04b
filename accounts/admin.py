"""Accounts and keys for staff. A key's text is shown once, right after it was made."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

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
        """The new secrets, in an answer of their own: a message would travel in a cookie."""
        lines = ["New webhook secrets, shown only now:", ""]
        for account in queryset:
            lines.append(f"{account.name}: {account.roll_webhook_secret()}")
            self.log_change(request, account, "webhook secret rolled")
        return HttpResponse("\n".join(lines), content_type="text/plain")


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    list_display = ["__str__", "account", "label", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["mode"]
    search_fields = ["account__name", "label", "last_four"]
    readonly_fields = ["last_four", "created_at", "last_used_at", "expires_at", "revoked_at"]
    actions = ["revoke", "roll"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        """Account and mode are set when the key is made; later only its label changes."""
        return [*self.readonly_fields, "account", "mode"] if obj else list(self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            issued, text = ApiKey.objects.issue(obj.account, "test" if obj.is_test else "live", obj.label)
            obj.pk = issued.pk
            self._show_once(request, text)

    @admin.action(description="Revoke the selected keys at once", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [key for key in queryset if key.revoke()]
        for key in revoked:
            self.log_change(request, key, "revoked")
        self.message_user(request, f"{len(revoked)} keys no longer work.")

    @admin.action(description="Roll: make a new key, the old one works 24 hours more", permissions=["change"])
    def roll(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            try:
                _, text = key.roll()
            except KeyEnded as error:
                self.message_user(request, f"{key}: {error}", level=messages.ERROR)
                continue
            self.log_change(request, key, "rolled")
            self._show_once(request, text)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are revoked instead, so that their jobs keep them."""
        return False

    def _show_once(self, request: HttpRequest, text: str) -> None:
        self.message_user(request, f"The new key, shown only now: {text}", level=messages.WARNING)
