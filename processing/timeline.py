"""What happened to a job, in order: its submit, its events, and each attempt to send its webhook."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from astra.times import as_text

from .models import Job, JobEvent
from .models.webhook_attempts import WebhookAttempt

# What a verb of `Job` has made of it.
_PAST: Mapping[str, str] = {
    "claim": "claimed",
    "release": "released",
    "complete": "completed",
    "fail": "failed",
    "cancel": "canceled",
    "retry": "retried",
    "discard": "discarded",
    "extend": "extended",
    "expire": "expired",
    "resend": "webhook_due_again",
}
_WEBHOOK = "webhook"
_OF_OWNERS = ("submit", "cancel", "discard")
# Longer than these after the line before, something held the job up: nobody took it, or nobody was sent anything.
_EXPECTED: Mapping[str, timedelta] = {"claimed": timedelta(seconds=60), _WEBHOOK: timedelta(seconds=60)}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One line. `note` is a reason or an answer in a few words; `actor`, `worker` and `traceback` are for staff."""

    at: datetime
    verb: str
    event: str
    attempt: int
    progress: int | None = None
    note: str = ""
    bytes_stored: int | None = None
    response_status: int | None = None
    milliseconds: int | None = None
    actor: str = ""
    worker: str = ""
    traceback: str = ""
    after: timedelta | None = None  # the line before; None for the first

    @property
    def is_late(self) -> bool:
        """Whether it took longer than expected."""
        longest = _EXPECTED.get(self.event)
        if self.event == "completed":
            longest = timedelta(seconds=settings.JOB_TIME_LIMIT / 2)
        return longest is not None and self.after is not None and self.after > longest

    def body(self) -> dict[str, Any]:
        """As callers see it."""
        known = {
            "progress": self.progress,
            "reason": self.note or None,
            "by": self._by(),
            "bytes_stored": self.bytes_stored,
            "response_status": self.response_status,
            "milliseconds": self.milliseconds,
        }
        return {
            "at": as_text(self.at),
            "event": self.event,
            "attempt": self.attempt,
            "seconds_after_previous": None if self.after is None else round(self.after.total_seconds(), 3),
            **{name: value for name, value in known.items() if value is not None},
        }

    def _by(self) -> str | None:
        """Whose decision it was, without a name."""
        return "operator" if self.actor else "owner" if self.verb in _OF_OWNERS else None


def timeline(job: Job) -> list[Moment]:
    """All lines of one job, the first one first."""
    lines = sorted([_submit(job), *_events(job), *_webhook_attempts(job)], key=lambda line: line.at)
    pairs = zip([None, *lines], lines, strict=False)
    return [replace(line, after=line.at - earlier.at if earlier else None) for earlier, line in pairs]


def _submit(job: Job) -> Moment:
    return Moment(at=job.created_at, verb="submit", event="submitted", attempt=0)


def _events(job: Job) -> Iterator[Moment]:
    events = list(job.events.exclude(verb="submit"))  # earlier versions wrote one
    last_end = max((event.pk for event in events if event.verb == "complete"), default=None)
    for event in events:
        stored = (job.result or {}).get("file:size") if event.pk == last_end else None
        yield Moment(
            at=event.at,
            verb=event.verb,
            event=_PAST.get(event.verb, event.verb),
            attempt=event.attempt,
            progress=_progress(event),
            note=event.note,
            bytes_stored=stored,
            actor=event.actor,
            worker=event.worker,
            traceback=event.traceback,
        )


def _progress(event: JobEvent) -> int | None:
    """How far an attempt came that ended without a result."""
    return event.progress if event.verb in ("release", "fail", "cancel") else None


def _webhook_attempts(job: Job) -> Iterator[Moment]:
    for attempt in WebhookAttempt.objects.filter(delivery__job=job):
        yield Moment(
            at=attempt.at,
            verb=_WEBHOOK,
            event=_WEBHOOK,
            attempt=attempt.number,
            note=attempt.note,
            response_status=attempt.response_status,
            milliseconds=attempt.milliseconds,
        )
