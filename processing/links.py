"""Links to a job's file, its pictures and its map: signed, and good until the result expires."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.http import HttpRequest
from django.utils import timezone

from .local_storage import SignedLocalStorage
from .models import Job
from .raster.types import PREVIEW, moment_of
from .results import is_kept, picture_key, pictures_of
from .signed_links import signed_query

_SATELLITE = re.compile(r"[A-Z][A-Z0-9]{1,5}(?=_)")


def origin_of(request: HttpRequest) -> str:
    """The base of absolute links: set by the operator, or else from the request."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def link(job: Job, origin: str) -> str | None:
    """A link to the job's file, good until the result expires; None after that. `origin` is the base of local links."""
    if not is_kept(job):
        return None
    return _signed(job, job.result_key, {"ResponseContentDisposition": disposition(job)}, origin)


def picture_link(job: Job, name: str, origin: str) -> str | None:
    """A link to one of the job's pictures, as good as that to its file; None if there is none of that name."""
    return _signed(job, picture_key(job.result_key, name), {}, origin) if name in pictures_of(job) else None


def viewer_link(job: Job, origin: str) -> str | None:
    """A link to the page that shows the result on a map, as good as that to its file; None without a picture of it."""
    if PREVIEW not in pictures_of(job) or job.expires_at is None:
        return None
    page = viewer_page(job.pk)
    return f"{origin}/{page}?{signed_query(page, int(job.expires_at.timestamp()))}"


def viewer_page(job_id: str) -> str:
    """The path of the page, which its signature is of."""
    return f"view/{job_id}"


def disposition(job: Job) -> str:
    """What names a download: operation, satellite and date of each scene, and the job, as links all end alike."""
    scenes = (job.result or {}).get("provenance", {}).get("scenes", ())
    parts = [job.operation, *(part for scene in scenes for part in _satellite_and_date(scene)), job.pk]
    return f'attachment; filename="{"_".join(parts)}.tif"'


def _satellite_and_date(scene: Mapping[str, Any]) -> Iterator[str]:
    """Such as S2B and 20250115, if product and time are known and begin as they should."""
    if satellite := _SATELLITE.match(scene.get("product") or ""):
        yield satellite[0]
    if moment := moment_of(scene.get("datetime")):
        yield f"{moment:%Y%m%d}"


def _signed(job: Job, key: str, shown: Mapping[str, str], origin: str) -> str:
    """Local links name the time of their end, so they stay the same from poll to poll; S3 counts from now.

    `shown` are headers that a bucket adds to its answer.
    """
    storage: Storage = storages["default"]
    expires_at = job.expires_at or timezone.now()
    if isinstance(storage, SignedLocalStorage):
        return origin + storage.signed_url(key, int(expires_at.timestamp()))
    minute = int(monotonic() // 60)
    return _signed_by_bucket(storage, key, tuple(shown.items()), expires_at, minute)


@lru_cache(maxsize=1000)
def _signed_by_bucket(
    storage: Storage, key: str, shown: tuple[tuple[str, str], ...], expires_at: datetime, minute: int
) -> str:
    """The same all through a `minute`, as the signatures of two links take as long as the rest of a poll."""
    seconds = math.ceil((expires_at - timezone.now()).total_seconds())
    url: str = storage.url(key, dict(shown), seconds)  # type: ignore[call-arg]  # S3Storage takes these
    return url
