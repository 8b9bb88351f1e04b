"""GET /api/v1/account: what the caller may do, and has done. Of its own mode only."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from astra.times import as_text

from . import usage
from .buckets import Allowance
from .models import ApiKey, KeyUsage

_DAYS = 30
_COUNTS = ("requests", "errors", "jobs")


class AccountDetail(APIView):
    def get(self, request: Request) -> Response:
        usage.write_rows()
        key, allowance = cast(ApiKey, request.auth), cast(Allowance, request.allowance)  # type: ignore[attr-defined]
        keys = list(ApiKey.objects.filter(account=key.account, mode=key.mode))
        today = datetime.now(UTC).date()
        rows = KeyUsage.objects.of(keys, since=today - timedelta(days=_DAYS))
        body = {
            "account": key.account.name,
            "plan": key.account.plan,
            "mode": key.mode,
            "limits": asdict(key.account.limits),
            "remaining": {"burst": allowance.remaining, "requests_per_day": allowance.remaining_today},
            "usage": {
                "today": _usage_of(today, rows),
                "days": [_usage_of(today - timedelta(days=back), rows) for back in range(1, _DAYS + 1)],
            },
            "keys": [_key_body(each) for each in keys if each.is_usable],
        }
        return Response(body, headers={"Cache-Control": "private, no-store"})


def _usage_of(day: date, rows: Iterable[KeyUsage]) -> dict[str, Any]:
    of_day = [row for row in rows if row.day == day]
    by_key = [{"label": row.key.label, "last_four": row.key.last_four, **_counts([row])} for row in of_day]
    return {"date": day.isoformat(), **_counts(of_day), "by_key": by_key}


def _counts(rows: list[KeyUsage]) -> dict[str, float]:
    sums: dict[str, float] = {name: sum(getattr(row, name) for row in rows) for name in _COUNTS}
    return {**sums, "megapixels": round(sum(row.pixels for row in rows) / 1e6, 3)}


def _key_body(key: ApiKey) -> dict[str, Any]:
    return {
        "label": key.label,
        "mode": key.mode,
        "scope": key.scope,
        "last_four": key.last_four,
        "created_at": _time(key.created_at),
        "last_used_at": _time(key.last_used_at),
        "expires_at": _time(key.expires_at),
    }


def _time(value: datetime | None) -> str | None:
    return None if value is None else as_text(value)
