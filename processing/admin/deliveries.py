"""Webhooks for staff."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .. import messages
from ..models import WebhookDelivery, WebhookReceiver
from ..models.webhook_attempts import WebhookAttempt
from .read_only import ReadOnly


class AttemptsInline(ReadOnly, admin.TabularInline):
    model = WebhookAttempt
    fields = ["number", "at", "response_status", "milliseconds", "note", "content"]


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
            delivery.send_again(request.user.get_username())
            self.log_change(request, delivery, "sent again")
            messages.ask_for_deliveries()
        self.message_user(request, f"{queryset.count()} webhooks are due again.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("processing.change_webhookdelivery")


@admin.register(WebhookReceiver)
class WebhookReceiverAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["host", "account", "failing_since", "last_failed_at", "switched_off_at"]
    list_filter = [("switched_off_at", admin.EmptyFieldListFilter), "account"]
    list_select_related = ["account"]
    search_fields = ["host", "account__name"]
    actions = ["switch_on"]

    @admin.action(description="Switch the selected receivers on, and send what was held back", permissions=["operate"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[WebhookReceiver]) -> None:
        for receiver in queryset:
            receiver.switch_on()
            self.log_change(request, receiver, "switched on")
        messages.ask_for_deliveries()
        self.message_user(request, f"{queryset.count()} receivers are switched on.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("processing.change_webhookreceiver")
