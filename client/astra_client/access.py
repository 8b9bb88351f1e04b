"""Where the service is and who asks: from arguments, or from ASTRA_API_URL and ASTRA_API_KEY."""

import os
from urllib.parse import urlsplit

from .errors import Misconfigured

_AT_HOME = "http://127.0.0.1:8000"  # where `manage.py up` listens
_API = "/api/v1"


def api_root(url: str | None) -> str:
    """The base URL of the API. `url` is the root of the host; it may end in `/api/v1`."""
    given = (url or os.environ.get("ASTRA_API_URL") or _AT_HOME).strip()
    root = given.rstrip("/").removesuffix(_API)
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Misconfigured(f"{given!r} is no address of a service; one is https://astra.example (ASTRA_API_URL).")
    return root + _API


def authorization(api_key: str | None) -> str:
    """The header that carries the key."""
    key = (api_key or os.environ.get("ASTRA_API_KEY") or "").strip()
    if not key:
        raise Misconfigured("No API key. Set ASTRA_API_KEY, or write Astra(api_key=...).")
    if not (key.isascii() and key.isprintable()):
        raise Misconfigured("The API key holds characters that no key has. Copy it once more.")
    return f"Bearer {key}"
