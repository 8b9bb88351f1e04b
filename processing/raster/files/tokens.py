"""Tokens that catalogues give to read their files: short-lived query strings, fetched when a file is read."""

import re
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ...http.guard import PrivateHosts
from ..catalogues.stac import fetch_json
from ..errors import ProviderUnavailable

# A token is not used for a new request this long before it ends.
_MARGIN = 120.0
# But it is used this long in any case: who gives a token that ends sooner gives the same one again when asked at once,
# and would be asked for every window.
_LEAST_USE = 5.0
_TOKEN = re.compile(r"[^\s#\x00-\x1f]+")  # a query string


class Tokens:
    """Tokens by the URL that gives them, kept until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, private_hosts: PrivateHosts) -> str:
        """A token for a new request. Raises ProviderUnavailable naming the host."""
        with self._lock:
            token, valid_until = self._kept.get(url, ("", 0.0))
            if time.time() >= valid_until:
                token, valid_until = _fetch_token(url, private_hosts)
                self._kept[url] = token, valid_until
            return token

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


def _fetch_token(url: str, private_hosts: PrivateHosts) -> tuple[str, float]:
    """(token, moment from which it must not be used for a new request)."""
    answer = fetch_json(url, private_hosts)
    try:
        ends = datetime.fromisoformat(str(answer["msft:expiry"]))
        token = answer["token"]
        if not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise ValueError("no token")
    except (KeyError, ValueError) as error:
        host = urlsplit(url).netloc
        raise ProviderUnavailable(f"{host} gives no token. Try again later.", host=host) from error
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return token, max(ends.timestamp() - _MARGIN, time.time() + _LEAST_USE)
