"""What an account may ask of the service at once, by its plan."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`concurrent_jobs` of one account are worked on at once; its others wait."""

    concurrent_jobs: int


_SCALE = Limits(concurrent_jobs=16)
LIMITS: Mapping[str, Limits] = {
    "free": Limits(concurrent_jobs=1),
    "pro": Limits(concurrent_jobs=4),
    "scale": _SCALE,
    "enterprise": _SCALE,
}
