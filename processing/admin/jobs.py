"""Jobs and webhooks for staff: everything can be seen, and acted on only through the verbs."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import results, tasks
from ..models import Job, JobEvent, WebhookAttempt, WebhookDelivery


class ReadOnly:
    """Nothing is added, changed or deleted by hand: rows tell what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EventsInline(ReadOnly, admin.TabularInline):
    model = JobEvent
    verbose_name_plural = "timeline"
    fields = ["at", "verb", "attempt", "note", "actor"]
    ordering = ["id"]


class DeliveriesInline(ReadOnly, admin.TabularInline):
    model = WebhookDelivery
    fields = ["event", "url", "status", "attempts", "next_attempt_at", "message_id"]
    show_change_link = True


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = [
        "id",
        "account",
        "operation",
        "status",
        "progress",
        "error_code",
        "created_at",
        "completed_at",
    ]
    list_filter = ["status", "operation", "mode", "created_at", "account"]
    list_select_related = ["account"]
    search_fields = ["id", "account__name", "scene_ids"]
    date_hierarchy = "created_at"
    inlines = [EventsInline, DeliveriesInline]
    actions = ["retry"]
    fieldsets = [
        (None, {"fields": ["id", "status", "progress", "error_message", "download", "warnings"]}),
        (
            "Asked for",
            {"fields": ["account", "api_key", "mode", "operation", "scene_ids", "params", "webhook_url"]},
        ),
        (
            "Times",
            {"fields": ["created_at", "started_at", "completed_at", "expires_at", "due_at", "lease_until"]},
        ),
        ("Work", {"fields": ["attempt", "attempt_limit", "result_key", "pretty_result", "pretty_error"]}),
    ]

    @admin.display(description="error")
    def error_code(self, job: Job) -> str:
        return job.error["code"] if job.error else ""

    @admin.display(description="error")
    def error_message(self, job: Job) -> str:
        return f"{job.error['code']}: {job.error['message']}" if job.error else ""

    @admin.display(description="result file")
    def download(self, job: Job) -> str | SafeString:
        href = results.link(job, job.origin)
        return format_html('<a href="{}">download</a>', href) if href else ""

    @admin.display(description="result")
    def pretty_result(self, job: Job) -> str | SafeString:
        return _pretty(job.result)

    @admin.display(description="error")
    def pretty_error(self, job: Job) -> str | SafeString:
        return _pretty(job.error)

    @admin.action(description="Retry the selected failed jobs", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        retried = [job for job in queryset if job.retry(actor=request.user.get_username())]
        for job in retried:
            self.log_change(request, job, "retried")
            tasks.dispatch(job)
        left_alone = queryset.count() - len(retried)
        note = f" {left_alone} are not failed and were left alone." if left_alone else ""
        self.message_user(request, f"{len(retried)} jobs are queued again.{note}")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Acting on jobs takes the permission to change them, although no form changes them."""
        return request.user.has_perm("processing.change_job")


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
            tasks.send_deliveries_of(delivery.job)
        self.message_user(request, f"{queryset.count()} webhooks are due again.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("processing.change_webhookdelivery")


def _pretty(content: Any) -> str | SafeString:
    return format_html("<pre>{}</pre>", json.dumps(content, indent=2)) if content else ""
