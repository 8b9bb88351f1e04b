"""What one job's page shows: head, numbers, timeline, inputs, warnings, webhooks, and all of it raw."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from astra.pages import Chart

from ..api.waiting import waiting_of
from ..bodies import job_body
from ..links import origin_of
from ..models import Job
from ..timeline import Moment, timeline
from . import cells
from .figures import ClassRow, class_rows, histogram, key_figures, scene_rows
from .job_actions import LASTING, RESEND, VERBS, Verb, may_operate


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the timeline as staff read it."""

    moment: Moment
    when: str
    exact: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Button:
    verb: Verb
    url: str


def page_of(request: HttpRequest, job: Job) -> dict[str, Any]:
    """The context of the template."""
    body = job_body(Job.objects.with_webhook().get(pk=job.pk), "", waiting_of(job))
    result: Mapping[str, Any] = body["result"] or {}
    deliveries = list(job.deliveries.prefetch_related("tries"))
    return {
        "job": job,
        "badge": cells.badge(job.shown_status),
        "created": cells.exact(job.created_at),
        "expires": cells.exact(job.expires_at) if job.expires_at else "",
        "body": body,
        "result": result,
        "buttons": list(_buttons(job)) if may_operate(request) else [],
        "resend": Button(verb=RESEND, url=_url(job, RESEND)) if may_operate(request) and deliveries else None,
        "deliveries": deliveries,
        "curl": _curl(request, job),
        "history_url": cells.job_url(job.pk, "history"),
        "advice": _advice(job),
        "lines": _lines(job),
        "figures": key_figures(job),
        **_charts(job),
        "inputs": scene_rows(job),
        "quality": json.dumps(result["quality"], indent=2) if result.get("quality") else "",
        "params": json.dumps(job.params, indent=2),
        "raw": json.dumps(body, indent=2),
    }


def _buttons(job: Job) -> Iterator[Button]:
    for verb in VERBS.values():
        if verb is not RESEND and verb.fits(job):
            yield Button(verb=verb, url=_url(job, verb))


def _url(job: Job, verb: Verb) -> str:
    return cells.job_url(job.pk, "act", verb.name)


def _charts(job: Job) -> dict[str, Chart | list[ClassRow] | None]:
    return {"chart": histogram(job), "classes": class_rows(job)}


def _curl(request: HttpRequest, job: Job) -> str:
    """The submit once more, with the caller's key left out."""
    asked = {"operation": job.operation, "scene_ids": job.scene_ids, "params": job.params}
    if job.webhook_url:
        asked["webhook_url"] = job.webhook_url
    headers = '-H "Authorization: Bearer $KEY" -H "Content-Type: application/json"'
    return f"curl -X POST {origin_of(request)}/api/v1/process {headers} -d {shlex.quote(json.dumps(asked))}"


def _advice(job: Job) -> str:
    """What staff can do about a failed job."""
    if job.error_code in ("", None, "CANCELED"):
        return ""
    if job.error_code in LASTING:
        return "A retry would end the same way: the caller has to ask for something else."
    if job.error_code == "INTERNAL_ERROR":
        return "The traceback in the timeline says where. Mend the cause, then retry."
    return "Retry once the cause is gone. The job keeps its place."


def _lines(job: Job) -> list[Line]:
    moments = timeline(job)
    return [
        Line(
            moment=moment,
            when=_when(moment),
            exact=cells.exact(moment.at),
            text=", ".join(part for part in _parts(job, moment) if part),
        )
        for moment in moments
    ]


def _when(moment: Moment) -> str:
    """The first line says when, the others how much later."""
    return f"{moment.at:%H:%M:%S}" if moment.after is None else f"+{cells.length(moment.after)}"


def _parts(job: Job, moment: Moment) -> Iterator[str]:
    if moment.event == "submitted":
        yield f"by key …{job.api_key.last_four}" if job.api_key else ""
        yield f"request {job.request_id}" if job.request_id else ""
    if moment.event == "claimed":
        yield f"worker {moment.worker}" if moment.worker else ""
        yield f"attempt {moment.attempt}"
    yield f"{cells.size(moment.bytes_stored)} stored" if moment.bytes_stored else ""
    yield f"{moment.response_status or 'no answer'} in {moment.milliseconds} ms" if moment.event == "webhook" else ""
    yield moment.note
    yield f"at {moment.progress} %" if moment.progress else ""
    yield f"by {moment.actor}" if moment.actor else ""
