"""Jobs for staff."""

from collections.abc import Callable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import links, tasks
from ..models import Job, JobEvent, WebhookDelivery
from .read_only import ReadOnly, indented


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
    show_full_result_count = False  # counting a million jobs takes longer than to list them
    inlines = [EventsInline, DeliveriesInline]
    actions = ["retry", "cancel"]
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
        href = links.link(job, job.origin)
        return format_html('<a href="{}">download</a>', href) if href else ""

    @admin.display(description="result")
    def pretty_result(self, job: Job) -> str | SafeString:
        return indented(job.result)

    @admin.display(description="error")
    def pretty_error(self, job: Job) -> str | SafeString:
        return indented(job.error)

    @admin.action(description="Retry the selected failed jobs", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        actor = request.user.get_username()
        self._act(request, queryset, lambda job: tasks.retry(job, actor), "retried")

    @admin.action(description="Cancel the selected jobs that are not finished", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        actor, message = request.user.get_username(), "The job was cancelled by the operator."
        self._act(request, queryset, lambda job: tasks.cancel(job, message, actor), "cancelled")

    def _act(self, request: HttpRequest, jobs: QuerySet[Job], verb: Callable[[Job], bool], done: str) -> None:
        """Apply a verb to each job. Logs who did, and says how many jobs the verb does not fit."""
        moved = [job for job in jobs if verb(job)]
        for job in moved:
            self.log_change(request, job, done)
        left_alone = jobs.count() - len(moved)
        note = f" Left alone, as their status does not allow it: {left_alone}." if left_alone else ""
        self.message_user(request, f"Jobs {done}: {len(moved)}.{note}")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Acting on jobs takes the permission to change them, although no form changes them."""
        return request.user.has_perm("processing.change_job")
