"""The page of one result."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from astra.exceptions import ApiError, Problem
from astra.pages import content_policy
from astra.views import error_page

from ..links import link, picture_link, viewer_page
from ..models import Job
from ..raster.operations import get_operation
from ..raster.types import PREVIEW, THUMBNAIL, moment_of
from ..results import pictures_of
from ..signed_links import LinkExpired, LinkTampered, check_link
from .legend import legend_of


class Viewer(View):
    """The signature in the link is the only permission needed, as it is for the file."""

    def get(self, request: HttpRequest, job_id: str) -> HttpResponse:
        try:
            check_link(viewer_page(job_id), request.GET.get("expires", ""), request.GET.get("sig", ""))
        except LinkTampered as error:
            return error_page(request, ApiError(Problem.FORBIDDEN, str(error)))
        except LinkExpired:
            return _expired(request)
        job = Job.objects.filter(pk=job_id).first()
        if job is None or PREVIEW not in pictures_of(job):
            return _expired(request)
        response = render(request, "viewer/map.html", _context(job))
        response["Content-Security-Policy"] = content_policy(settings.BASEMAP_URL)
        response["Cache-Control"] = "private, no-store"
        return response


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "viewer/expired.html", status=410)


def _context(job: Job) -> dict[str, Any]:
    result, legend = job.result or {}, legend_of(job)
    scenes = [name for name in pictures_of(job) if name not in (PREVIEW, THUMBNAIL)]
    moments = [moment_of(scene.get("datetime")) for scene in result.get("provenance", {}).get("scenes", ())]
    return {
        "title": get_operation(job.operation).title,
        "dates": [f"{moment:%Y-%m-%d}" for moment in moments if moment],
        "scenes": job.scene_ids,
        "href": link(job, ""),
        "expires_at": job.expires_at,
        "expires_in": _in_words(job.expires_at),
        "scene_pictures": scenes,
        "legend": legend,
        "data": {
            "bounds": _bounds(result["bbox"]),
            "pictures": {name: picture_link(job, name, "") for name in (PREVIEW, *scenes)},
            "scenes": scenes,
            "legend": {
                "title": legend["title"],
                "colors": legend["colors"],
                "names": legend["names"],
                "low": float(legend.get("low", 0)),
                "high": float(legend.get("high", 0)),
            },
            "basemap": _basemap(),
        },
    }


def _bounds(bbox: list[float]) -> list[list[float]]:
    """South west and north east. A picture across the antimeridian runs on in the east."""
    west, south, east, north = bbox
    return [[south, west], [north, east if east >= west else east + 360]]


def _in_words(end: datetime | None) -> str:
    minutes = ((end or timezone.now()) - timezone.now()).total_seconds() / 60
    return f"{minutes / 60:.0f} h" if minutes >= 90 else f"{max(1, minutes):.0f} min"


def _basemap() -> dict[str, str] | None:
    if not settings.BASEMAP_URL:
        return None
    return {"url": settings.BASEMAP_URL, "attribution": settings.BASEMAP_ATTRIBUTION}
