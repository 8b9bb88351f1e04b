"""What a page of ours may load. Scripts and styles come from files of our own; nothing stands inside of the page."""

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage


def content_policy(*images: str) -> str:
    """The header's value for a page that also shows images from these URLs."""
    results = results_origin() if settings.BUCKET else ""
    more = "".join(f" {origin}" for origin in dict.fromkeys((results, *map(_origin, images))) if origin)
    connected = f" {results}" if results else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{more}; font-src 'self'; "
        f"connect-src 'self'{connected}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def results_origin() -> str:
    """Where links into the bucket lead: only the storage knows whether its name stands in the host."""
    return _origin(default_storage.url("jobs"))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
