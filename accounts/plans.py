"""What an account may ask of the service, by its plan. Read by the settings, so it knows nothing of Django."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

_MOST = 10**12


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Requests are those of one key; `burst` may be sent at once. Jobs are those of all keys of the account.

    `concurrent_jobs` are worked on at once and `queued_jobs` wait; `pixels_per_job` are those of one band.
    """

    requests_per_minute: int
    requests_per_day: int
    burst: int
    concurrent_jobs: int
    queued_jobs: int
    pixels_per_job: int

    def changed(self, changes: Mapping[str, int]) -> Self:
        return replace(self, **changes)


def plan_limits(text: str, *, pixels_per_job: int) -> dict[str, Limits]:
    """The limits of every plan. `text` is JSON, {plan: {limit: number}}, and says what differs. Raises ValueError."""
    limits = _built_in(pixels_per_job)
    try:
        changes = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ValueError('must be JSON such as {"free": {"burst": 20}}') from None
    if not isinstance(changes, dict):
        raise ValueError('must be a JSON object such as {"free": {"burst": 20}}')
    for plan, of_plan in changes.items():
        if plan not in limits:
            raise ValueError(f"knows no plan {plan!r}; there are: {', '.join(limits)}")
        check_changes(of_plan)
        limits[plan] = limits[plan].changed(of_plan)
    return limits


def check_changes(changes: Any) -> None:
    """Raises ValueError, with a sentence, unless these are limits by their names."""
    if not isinstance(changes, dict):
        raise ValueError('holds what is no JSON object such as {"burst": 20}')
    names = [field.name for field in fields(Limits)]
    for name, value in changes.items():
        if name not in names:
            raise ValueError(f"knows no limit {name!r}; there are: {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
            raise ValueError(f"must have a whole number from 1 to {_MOST} for {name}, not {value!r}")


def _built_in(pixels: int) -> dict[str, Limits]:
    def limits(minute: int, day: int, burst: int, at_once: int, queued: int) -> Limits:
        return Limits(
            requests_per_minute=minute,
            requests_per_day=day,
            burst=burst,
            concurrent_jobs=at_once,
            queued_jobs=queued,
            pixels_per_job=pixels,
        )

    scale = limits(600, 500_000, 100, 16, 5_000)
    return {
        "free": limits(30, 1_000, 10, 1, 20),
        "pro": limits(120, 50_000, 30, 4, 500),
        "scale": scale,
        "enterprise": scale,
    }
