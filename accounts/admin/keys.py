"""API keys: made, rolled and revoked, never deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from ..keys import Mode
from ..models import ApiKey, KeyEnded
from .shown_once import shown_once
from .usage_chart import usage_chart


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
        return shown_once(request, "The new key", [(str(obj.account), obj.new_text)])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        shown = {} if key is None else {"usage": usage_chart(key.account, key)}
        return super().change_view(request, object_id, form_url, shown)

    @admin.action(description="Revoke the selected keys at once", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [key for key in queryset if key.revoke()]
        for key in revoked:
            self.log_change(request, key, "revoked")
        self.message_user(request, f"{len(revoked)} keys no longer work.")

    @admin.action(description="Roll: make a new key, the old one works 24 hours more", permissions=["change"])
    def roll(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse:
        made, refused = [], []
        for key in queryset:
            try:
                _, text = key.roll()
            except KeyEnded as error:
                refused.append(f"{key}: {error}")
                continue
            self.log_change(request, key, "rolled")
            made.append((f"{key.account}, {key.label or 'without label'}", text))
        return shown_once(request, "New keys", made, refused)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are revoked instead, so that their jobs keep them."""
        return False
