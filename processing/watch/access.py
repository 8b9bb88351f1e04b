"""Who may read the metrics: callers with the token or, if none is set, callers on this machine."""

import hmac
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

from astra.exceptions import ApiError, Problem

# Any of these was added by a proxy, so the caller is not the address that we see.
_FORWARDING = ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def check_may_read_metrics(request: HttpRequest) -> None:
    """Raises ApiError (403)."""
    if settings.METRICS_TOKEN:
        if not _has_token(request, settings.METRICS_TOKEN):
            raise ApiError(Problem.FORBIDDEN, "Send the token of the metrics as 'Authorization: Bearer ...'.")
    elif settings.TRUSTED_PROXIES or _is_forwarded(request) or not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        message = "Without ASTRA_METRICS_TOKEN only this machine itself may read the metrics, and not through a proxy."
        raise ApiError(Problem.FORBIDDEN, message)


def _has_token(request: HttpRequest, token: str) -> bool:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def _is_forwarded(request: HttpRequest) -> bool:
    return any(name.startswith("HTTP_X_FORWARDED") or name in _FORWARDING for name in request.META)


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:  # a socket of the file system has no address
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
