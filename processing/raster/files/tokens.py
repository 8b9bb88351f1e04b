"""Tokens that a catalogue asks for when its files are read: short-lived query strings."""

import re
import threading
import time
from datetime import UTC, datetime

from processing.http import PrivateHosts, fetch_json
from processing.http.fetch import HostUnavailable
from processing.http.guard import host_of

from ..errors import ProviderUnavailable

# A token is not used for a new request this many seconds before it ends.
_MARGIN = 120.0
# Any token is used at least this many seconds: a host with shorter-lived ones would be asked at every window.
_LEAST_USE = 5.0
_LONGEST_WAIT = 15.0  # seconds
_TOKEN = re.compile(r"[^\s#\x00-\x1f]+")  # a query string


class Tokens:
    """Tokens by the URL that issues them, kept until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, private_hosts: PrivateHosts) -> str:
        """Return a token for a new request. Raises ProviderUnavailable."""
        with self._lock:
            token, valid_until = self._kept.get(url, ("", 0.0))
            if time.time() >= valid_until:
                token, valid_until = _fetch_token(url, private_hosts)
                self._kept[url] = token, valid_until
            return token


def _fetch_token(url: str, private_hosts: PrivateHosts) -> tuple[str, float]:
    """(token, time after which it must not be used for a new request, in Unix seconds)."""
    try:
        answer = fetch_json(url, private_hosts, within=_LONGEST_WAIT, asks_again=True)
    except HostUnavailable as error:
        raise ProviderUnavailable.at(error.host, error.fault, error.retry_after) from error
    try:
        ends = datetime.fromisoformat(str(answer["msft:expiry"]))
        token = answer["token"]
        if not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise ValueError("not a query string")
    except (KeyError, ValueError) as error:
        raise ProviderUnavailable.at(host_of(url), "answers without a token") from error
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return token, max(ends.timestamp() - _MARGIN, time.time() + _LEAST_USE)
