"""The list of jobs, and the addresses of what can be done to them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..models import Job
from . import cells, job_search
from .job_actions import VERBS, act_on, confirmation, may_operate
from .job_filters import AccountFilter, ErrorCodeFilter, OperationFilter, ProviderFilter
from .job_page import page_of
from .paginator import EstimatingPaginator
from .read_only import ReadOnly

_SHOWN_OF_ID = 8


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["preview", "job", "badge", "operation", "scenes", "account", "age", "took", "attempt", "code"]
    list_display_links = None
    list_filter = [
        "status",
        ErrorCodeFilter,
        OperationFilter,
        ProviderFilter,
        "mode",
        AccountFilter,
        "created_at",
    ]
    list_select_related = ["account"]
    list_per_page = 50
    sortable_by = ()  # no index has any other order
    empty_value_display = ""
    search_fields = ["id"]
    paginator = EstimatingPaginator
    show_full_result_count = False  # counting a million jobs takes longer than to list them
    show_facets = admin.ShowFacets.NEVER
    actions = list(VERBS)

    class Media:
        js = ("astra/suggest.js",)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Job], search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        return (queryset.filter(job_search.matches(text)) if text else queryset), False

    @admin.display(description="map")
    def preview(self, job: Job) -> SafeString | str:
        return cells.thumbnail(job)

    @admin.display(description="job")
    def job(self, job: Job) -> SafeString:
        form = '<a class="job" href="{}" title="{}">{}…</a>'
        return format_html(form, cells.job_url(job.pk), job.pk, job.pk[:_SHOWN_OF_ID])

    @admin.display(description="status")
    def badge(self, job: Job) -> SafeString:
        return cells.badge(job.shown_status)

    @admin.display(description="scenes")
    def scenes(self, job: Job) -> SafeString:
        return cells.scenes(job)

    @admin.display(description="age")
    def age(self, job: Job) -> SafeString | str:
        return cells.ago(job.created_at)

    @admin.display(description="took")
    def took(self, job: Job) -> str:
        return cells.work_time(job)

    @admin.display(description="error code")
    def code(self, job: Job) -> SafeString | str:
        return cells.error_code(job.error_code)

    @admin.action(description="Retry the selected failed jobs", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return self._act_on_selected(request, "retry", queryset)

    @admin.action(description="Cancel the selected jobs that are not finished", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return self._act_on_selected(request, "cancel", queryset)

    @admin.action(description="Let the results of the selected jobs expire now", permissions=["operate"])
    def expire(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return self._act_on_selected(request, "expire", queryset)

    @admin.action(description="Keep the results of the selected jobs longer", permissions=["operate"])
    def extend(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return self._act_on_selected(request, "extend", queryset)

    @admin.action(description="Send the webhooks of the selected jobs again", permissions=["operate"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return self._act_on_selected(request, "resend", queryset)

    def _act_on_selected(self, request: HttpRequest, name: str, jobs: QuerySet[Job]) -> HttpResponse | None:
        fields = {key: request.POST.getlist(key) for key in ("action", "_selected_action", "select_across", "index")}
        answer = confirmation(request, VERBS[name], jobs, fields)
        if answer is None:
            act_on(request, VERBS[name], jobs)
        return answer

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return may_operate(request)

    def get_urls(self) -> list[URLPattern]:
        name, acts = "processing_job_act", self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/act/<str:verb>/", acts, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Jobs", "search_help": job_search.HELP})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self._job(request, object_id)
        if request.method == "POST":  # there is no form
            raise PermissionDenied
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"Job {job.pk}"}
        return TemplateResponse(request, "admin/processing/job/page.html", {**shown, **page_of(request, job)})

    def act_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """A button of the job's page."""
        job = self._job(request, object_id)
        if not may_operate(request):
            raise PermissionDenied
        if verb not in VERBS:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        jobs = Job.objects.filter(pk=job.pk)
        answer = confirmation(request, VERBS[verb], jobs, {})
        if answer is not None:
            return answer
        act_on(request, VERBS[verb], jobs)
        return redirect(cells.job_url(job.pk))

    def _job(self, request: HttpRequest, object_id: str) -> Job:
        """Raises Http404 and PermissionDenied."""
        job = Job.objects.select_related("account", "api_key").filter(pk=unquote(object_id)).first()
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        if job is None:
            raise Http404
        return job
