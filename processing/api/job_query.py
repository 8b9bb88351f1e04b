"""Which of an account's jobs are listed: newest first, continued by a cursor, so that new jobs shift nothing."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from astra.exceptions import Fault, InvalidRequest

from ..models import Job
from ..models.jobs import is_job_id
from ..models.status import SHOWN_AS, Status
from ..raster.operations import all_operations

_DEFAULT_LIMIT, _MOST = 20, 100
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
_PARAMETERS = ("limit", "cursor", "status", "operation", "created_after", "created_before")


@dataclass(frozen=True, kw_only=True)
class JobQuery:
    """The query string of the job list. `cursor` is (created_at, id) of the last job of the page before."""

    limit: int
    cursor: tuple[datetime, str] | None
    status: str | None
    operation: str | None
    created_after: datetime | None
    created_before: datetime | None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Raises InvalidRequest, which names everything that is wrong with the query at once."""
        reader = _Reader(query)
        read = cls(
            limit=reader.limit(),
            cursor=reader.cursor(),
            status=reader.choice("status", list(Status.values)),
            operation=reader.choice("operation", list(all_operations())),
            created_after=reader.time("created_after"),
            created_before=reader.time("created_before"),
        )
        if reader.faults:
            raise InvalidRequest(reader.faults)
        return read

    def filters(self) -> Q:
        """The jobs of this page and all later ones."""
        wanted = Q()
        if self.status:
            wanted &= SHOWN_AS[self.status]
        if self.operation:
            wanted &= Q(operation=self.operation)
        if self.created_after:
            wanted &= Q(created_at__gt=self.created_after)
        if self.created_before:
            wanted &= Q(created_at__lt=self.created_before)
        if self.cursor:
            at, job_id = self.cursor
            # The first condition says nothing new, but bounds what is read of the index.
            wanted &= Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(pk__lt=job_id))
        return wanted


def cursor_after(job: Job) -> str:
    """The cursor of the page that follows `job`."""
    return base64.urlsafe_b64encode(f"{job.created_at.isoformat()}|{job.pk}".encode()).decode()


class _Reader:
    """Reads one parameter after the other and collects what is wrong with them in `faults`."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self._query = query
        for name in query:
            if name not in _PARAMETERS:
                self._fault(name, f"There is no such parameter; there are: {', '.join(_PARAMETERS)}.")

    def limit(self) -> int:
        raw = self._query.get("limit", str(_DEFAULT_LIMIT))
        limit = int(raw) if _LIMIT.fullmatch(raw) else 0
        if 1 <= limit <= _MOST:
            return limit
        self._fault("limit", f"This must be a whole number from 1 to {_MOST}, without zeros before it.")
        return _DEFAULT_LIMIT

    def cursor(self) -> tuple[datetime, str] | None:
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

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        value = self._query.get(name)
        if value is not None and value not in choices:
            self._fault(name, f"This must be one of {', '.join(choices)}.")
        return value

    def time(self, name: str) -> datetime | None:
        raw = self._query.get(name)
        if raw is None:
            return None
        try:
            return _instant(raw)
        except (ValueError, OverflowError):
            self._fault(name, "This must be a time with its zone, such as 2025-01-15T19:00:00Z.")
            return None

    def _fault(self, name: str, message: str) -> None:
        self.faults.append(Fault(parameter=name, message=message, received=self._query.get(name, "")))


def _instant(text: str) -> datetime:
    """The time in UTC. Raises ValueError for a malformed time, OverflowError for one before year 1 or after 9999."""
    value = parse_datetime(text)
    if value is None or is_naive(value):
        raise ValueError(text)
    return value.astimezone(UTC)
