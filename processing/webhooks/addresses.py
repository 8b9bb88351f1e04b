"""Which URLs a webhook may have. No name is looked up here: the guard does so when it connects."""

from django.conf import settings

from ..http import ForbiddenAddress
from ..http.guard import check_form, is_private_host, parse_url, port_of

_PORTS = (443, 8443)


def check_address(url: str) -> None:
    """Raise ForbiddenAddress, with a sentence for the caller, unless a webhook may be sent there by the URL's form."""
    if not url.isprintable() or " " in url:
        raise ForbiddenAddress("A URL must hold no blanks and no control characters; a blank is written as %20.")
    check_form(url, settings.WEBHOOK_PRIVATE_HOSTS)
    parts = parse_url(url, settings.WEBHOOK_PRIVATE_HOSTS)
    if port_of(parts) not in _PORTS and not is_private_host(parts, settings.WEBHOOK_PRIVATE_HOSTS):
        raise ForbiddenAddress("A webhook is sent to port 443 or 8443 only.")
