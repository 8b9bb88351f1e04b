"""The address that a request comes from."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_OF_ONE_CALLER = 64  # bits; within such a network an IPv6 host takes whatever address it likes


def caller_address(request: HttpRequest) -> str:
    """The address, or the /64 of an IPv6 one.

    Of what callers and proxies have written into X-Forwarded-For only what the trusted proxies added counts: the last
    so many. A request that has come past them counts as the peer's.
    """
    header, trusted = request.headers.get("X-Forwarded-For"), settings.TRUSTED_PROXIES
    forwarded = header.split(",") if header else []
    text = forwarded[-trusted] if 0 < trusted <= len(forwarded) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(text.strip())
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _OF_ONE_CALLER), strict=False))
