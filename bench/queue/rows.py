"""A database with a million jobs: most have ended, many wait, a few are at work.

Jobs are numbered from the newest to the oldest. One was submitted each second, and one ended each second.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

from accounts.models import Account
from processing.models import Job, JobEvent, WebhookDelivery

# As large as that of an NDVI of the sandbox.
RESULT = {
    "file:size": 8_000_000,
    "proj:shape": [2048, 2048],
    "gsd": 10.0,
    "provenance": {"scenes": [{"scene_id": "sentinel-2:S2B_MSIL2A_20250115T184929", "item": "0123456789" * 250}]},
}
ERROR = {"code": "SCENE_UNREADABLE", "message": "The file is damaged.", "details": {"retryable": False}}
HOOK = "https://example.com/hook"
AT_WORK = 16
_JOB_SECONDS = 8
_WITH_EVENTS = 200_000  # the newest jobs; a timeline is only ever read for one job, or for the last hour
_KEPT = 86_400  # seconds of a result's life
_TO_DELETE = 500  # results whose time is over, and whose file is still there

Row = dict[str, Any]


class Rows:
    """`jobs` rows, of which the newest `queued` wait. Of twenty jobs the first account has nineteen."""

    def __init__(self, jobs: int, queued: int, accounts: Sequence[Account]) -> None:
        self._numbers, self._queued, self._accounts = range(1, jobs + 1), queued, accounts
        self._now = datetime.now(UTC)
        scenes = ["sentinel-2:S2B_MSIL2A_20250115T184929"]
        asked = {"mode": "test", "operation": "ndvi", "scene_ids": scenes, "params": {}, "origin": "http://testserver"}
        self._any_job = _columns(Job(account=accounts[0], attempt_limit=3, **asked))
        self._any_event = _columns(JobEvent(attempt=1))
        self._any_delivery = _columns(WebhookDelivery(event="job.completed", url=HOOK, attempts=1))
        self._result, self._error = json.dumps(RESULT), json.dumps(ERROR)

    def write(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET statement_timeout = 0")
        _write(Job, (self._job(n) for n in self._numbers))
        _write(JobEvent, chain.from_iterable(self._events(n) for n in self._numbers[:_WITH_EVENTS]))
        _write(WebhookDelivery, (self._delivery(n) for n in self._numbers if n % 5 == 0 and self._ended(n) > 0))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        connection.close()  # the next one has its timeouts again

    def _job(self, n: int) -> Row:
        account, turn = self._place(n)
        operation = "change_detection" if n % 200 == 1 else "ndvi"
        row = {"account_id": account.pk, "created_at": self._ago(n), "turn": turn, "operation": operation}
        return {**self._any_job, "id": job_id(n), **row, **self._state(n)}

    def _place(self, n: int) -> tuple[Account, int]:
        """Whose job it is, and its turn in the queue."""
        others, waits_behind = len(self._accounts) - 1, max(0, self._queued - n)
        if n % 20:
            return self._accounts[0], waits_behind + 1
        return self._accounts[1 + n // 20 % others], waits_behind // 20 // others + 1

    def _state(self, n: int) -> Row:
        if n <= self._queued:
            return {"due_at": self._ago(n), "parked": bool(n % 20)}
        started = self._ago(self._ended(n) + _JOB_SECONDS)
        claimed = {"attempt": 1, "claims": 1, "started_at": started, "attempt_started_at": started}
        if self._ended(n) <= 0:
            return {**claimed, "status": "processing", "lease_until": self._ago(-3600)}
        ended = {**claimed, "completed_at": self._ago(self._ended(n))}
        if n % 200 == 0:
            return {**ended, "status": "failed", "error": self._error}
        key = f"jobs/{job_id(n)}/1/ndvi_output.tif" if self._ended(n) < _KEPT + _TO_DELETE else ""
        expires = self._ago(self._ended(n) - _KEPT)
        kept = {"result": self._result, "result_key": key, "expires_at": expires}
        return {**ended, **kept, "status": "completed", "progress": 100}

    def _events(self, n: int) -> Iterator[Row]:
        job = self._job(n)
        end = {"completed": "complete", "failed": "fail"}.get(job["status"], "")
        times = (("claim", job["started_at"]), (end, job["completed_at"]))
        for verb, at in times:
            if verb and at:
                yield {**self._any_event, "job_id": job["id"], "at": at, "verb": verb}

    def _delivery(self, n: int) -> Row:
        at, status = self._ago(self._ended(n)), "pending" if self._ended(n) < 500 else "delivered"
        names = {"job_id": job_id(n), "message_id": f"msg_{n}", "host": f"{n % 97}.example.com"}
        return {**self._any_delivery, **names, "status": status, "created_at": at, "next_attempt_at": at}

    def _ended(self, n: int) -> int:
        """Seconds since its end."""
        return n - self._queued - AT_WORK

    def _ago(self, seconds: int) -> Any:
        return connection.ops.adapt_datetimefield_value(self._now - timedelta(seconds=seconds))


def job_id(n: int) -> str:
    return f"job_{hashlib.md5(str(n).encode()).hexdigest()[:22]}"


def _columns(row: Model) -> Row:
    """What a database gets of it, but for what it makes itself."""
    fields = ((str(field.column), field) for field in row._meta.concrete_fields if not field.generated)
    values = {name: field.get_db_prep_save(getattr(row, field.attname), connection) for name, field in fields}
    left_out = {
        name for name, value in values.items() if isinstance(value, DatabaseDefault) or (name == "id" and not value)
    }
    return {name: value for name, value in values.items() if name not in left_out}


def _write(model: type[Model], rows: Iterable[Row]) -> None:
    """The fastest way into each database."""
    source = iter(rows)
    first = next(source)
    table, columns = model._meta.db_table, list(first)
    values = ([row.get(name) for name in columns] for row in chain([first], source))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            insert: Any = cursor.executemany  # its stubs want a sequence
            insert(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", values)
