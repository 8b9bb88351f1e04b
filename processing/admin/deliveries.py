"""Webhooks for staff."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .. import messages
from ..models import WebhookDelivery
from ..models.deliveries import WebhookAttempt
from .read_only import ReadOnly


class AttemptsInline(ReadOnly, admin.TabularInline):
    model = WebhookAttempt
    fields = ["number", "at", "response_status", "note"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["message_id", "job", "event", "url", "status", "attempts", "next_attempt_at"]
    list_filter = ["status", "event", "created_at"]
    search_fields = ["message_id", "job__id", "url"]
    inlines = [AttemptsInline]
    actions = ["send_again"]

    @admin.action(description="Send the selected webhooks again", permissions=["operate"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset:
            delivery.send_again()
            self.log_change(request, delivery, "sent again")
            messages.ask_for_deliveries()
        self.message_user(request, f"{queryset.count()} webhooks are due again.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("processing.change_webhookdelivery")
