"""Cells of tables: statuses, scenes, times and lengths of time, short, with the whole on hover."""

import re
from datetime import UTC, datetime, timedelta

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .. import links
from ..models import Job
from ..raster.types import PREVIEW, THUMBNAIL

_DATE = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)")
_PLACE = re.compile(r"_(T\d\d[A-Z]{3}|\d{6})(?=_|$)")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_LONGEST_SCENE = 22


def badge(status: str) -> SafeString:
    """A word beside its colour."""
    return format_html('<span class="badge {}">{}</span>', status, status)


def error_code(code: str | None) -> SafeString | str:
    return format_html('<span class="error-code" title="{}">{}</span>', code, code) if code else ""


def short_scene(scene_id: str) -> str:
    """Date and tile, or path and row, of a scene; of one without a date the beginning of its name."""
    original = scene_id.partition(":")[2] or scene_id
    date, place = _DATE.search(original), _PLACE.search(original)
    if date is None:
        return original if len(original) <= _LONGEST_SCENE else f"{original[: _LONGEST_SCENE - 1]}…"
    day = "-".join(date.groups())
    return f"{day} {place[1]}" if place else day


def scenes(job: Job) -> SafeString:
    """Those that share a place name it once, at the last."""
    short = [short_scene(scene_id) for scene_id in job.scene_ids]
    places = {text.partition(" ")[2] for text in short}
    if len(places) == 1:
        short = [*(text.partition(" ")[0] for text in short[:-1]), *short[-1:]]
    return format_html_join(" → ", '<span title="{}">{}</span>', zip(job.scene_ids, short, strict=True))


def thumbnail(job: Job) -> SafeString | str:
    """The small picture of a result, as long as it is kept; of older ones the large one."""
    url = links.picture_link(job, THUMBNAIL, "") or links.picture_link(job, PREVIEW, "")
    return format_html('<img class="thumbnail" loading="lazy" alt="" src="{}">', url) if url else ""


def exact(time: datetime) -> str:
    """With seconds and zone."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def length(span: timedelta) -> str:
    """Such as 0.4 s, 31 s, 4 min or 2 h."""
    seconds = span.total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def ago(time: datetime | None) -> SafeString | str:
    if time is None:
        return ""
    form = '<time datetime="{}" title="{}">{}</time>'
    return format_html(form, time.isoformat(), exact(time), length(timezone.now() - time))


def work_time(job: Job) -> str:
    """Of the last attempt; while that is under way, how far it is."""
    if job.attempt_started_at is None:
        return ""
    if job.status == job.shown_status == "processing":
        return f"{job.progress} %"
    return length(job.completed_at - job.attempt_started_at) if job.completed_at else ""


def size(count: float) -> str:
    """Bytes, as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def job_url(job_id: str, page: str = "change", *arguments: str) -> str:
    return reverse(f"admin:processing_job_{page}", args=[quote(job_id), *arguments])
