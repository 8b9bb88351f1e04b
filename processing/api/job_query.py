"""Pages of an account's jobs: newest first, continued by a cursor, so that new jobs shift nothing."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from astra.exceptions import InvalidRequest

from ..models import Job, Status, is_job_id
from ..raster.operations import all_operations

DEFAULT_LIMIT, MOST = 20, 100
_PARAMETERS = ("limit", "cursor", "status", "operation", "created_after", "created_before")


class JobQuery:
    """The query string of the job list, read and checked. Raises InvalidRequest naming every fault at once."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self._faults: list[dict[str, Any]] = []
        for name in query:
            if name not in _PARAMETERS:
                self._fault(name, f"There is no such parameter; there are: {', '.join(_PARAMETERS)}.")
        self.limit = self._limit()
        self.cursor = self._cursor()
        self.status = self._choice("status", list(Status.values))
        self.operation = self._choice("operation", list(all_operations()))
        self.created_after = self._time("created_after")
        self.created_before = self._time("created_before")
        if self._faults:
            message = " ".join(f"{fault['parameter']}: {fault['message']}" for fault in self._faults)
            raise InvalidRequest(message, self._faults)

    def filters(self) -> Q:
        """The jobs asked for, from the cursor on."""
        wanted = Q()
        if self.status:
            wanted &= Q(status=self.status)
        if self.operation:
            wanted &= Q(operation=self.operation)
        if self.created_after:
            wanted &= Q(created_at__gt=self.created_after)
        if self.created_before:
            wanted &= Q(created_at__lt=self.created_before)
        if self.cursor:
            at, job_id = self.cursor
            wanted &= Q(created_at__lt=at) | Q(created_at=at, pk__lt=job_id)
        return wanted

    def _limit(self) -> int:
        raw = self._query.get("limit", str(DEFAULT_LIMIT))
        if raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= MOST:
            return int(raw)
        self._fault("limit", f"This must be a whole number from 1 to {MOST}.")
        return DEFAULT_LIMIT

    def _cursor(self) -> tuple[datetime, str] | None:
        raw = self._query.get("cursor")
        if raw is None:
            return None
        try:
            at, _, job_id = base64.urlsafe_b64decode(raw.encode("ascii")).decode("ascii").partition("|")
            if not is_job_id(job_id):
                raise ValueError(job_id)
            return _instant(at), job_id
        except (ValueError, OverflowError):
            self._fault("cursor", "This is not a cursor of an earlier answer; take the whole `next` link.")
            return None

    def _choice(self, name: str, choices: list[str]) -> str | None:
        value = self._query.get(name)
        if value is not None and value not in choices:
            self._fault(name, f"This must be one of {', '.join(choices)}.")
        return value

    def _time(self, name: str) -> datetime | None:
        raw = self._query.get(name)
        if raw is None:
            return None
        try:
            return _instant(raw)
        except (ValueError, OverflowError):
            self._fault(name, "This must be a time with its zone, such as 2025-01-15T19:00:00Z.")
            return None

    def _fault(self, name: str, message: str) -> None:
        received = self._query.get(name, "")[:200]
        self._faults.append({"parameter": name, "message": message, "received": received, "code": "VALIDATION_ERROR"})


def _instant(text: str) -> datetime:
    """The time in UTC. Raises ValueError, or OverflowError where it lies outside of the calendar."""
    value = parse_datetime(text)
    if value is None or is_naive(value):
        raise ValueError(text)
    return value.astimezone(UTC)


def cursor_after(job: Job) -> str:
    """The cursor of the page that follows `job`."""
    return base64.urlsafe_b64encode(f"{job.created_at.isoformat()}|{job.pk}".encode()).decode()
