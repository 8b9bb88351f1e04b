"""The signature of local links, and its check. A link names the stored file and the moment of its end."""

import hmac
import time
from urllib.parse import urlencode

from django.utils.crypto import salted_hmac

_SALT = "processing.results.link"
_MOST_DIGITS = 12  # of a moment in seconds


class LinkTampered(Exception):
    """The link was not made here, or was changed. The text is for the caller."""

    def __init__(self) -> None:
        super().__init__(
            "This link is not complete, or was changed. Poll the job for its link and take the whole of it."
        )


class LinkExpired(Exception):
    """The link is ours, but its time is over."""


def signed_query(name: str, expires: int) -> str:
    """The query of a link to the stored file `name` that is good until `expires` (Unix seconds)."""
    return urlencode({"expires": expires, "sig": _signature(name, expires)})


def check_link(name: str, expires: str, signature: str) -> None:
    """Raises LinkTampered or LinkExpired unless the link to the stored file `name` is good now."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= _MOST_DIGITS):
        raise LinkTampered()
    if not hmac.compare_digest(_signature(name, int(expires)).encode(), signature.encode()):
        raise LinkTampered()
    if int(expires) < time.time():
        raise LinkExpired


def _signature(name: str, expires: int) -> str:
    return salted_hmac(_SALT, f"{expires}:{name}", algorithm="sha256").hexdigest()
