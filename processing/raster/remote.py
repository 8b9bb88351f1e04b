"""From a source to a name that GDAL can open, without being led astray.

GDAL follows redirects wherever they lead, and there is no option against it. So each URL is asked for one byte first,
by our own session, which checks every step; GDAL is then given the last one. Catalogues are chosen by the operator: a
host that answers GDAL otherwise than us would be a fault of the catalogue, against which only a proxy helps.
"""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import requests
from requests_hardened.ip_filter import InvalidIPAddress

from .errors import ProviderUnavailable, SceneUnreadable
from .network import ForbiddenAddress, PrivateHosts, open_session
from .recent import Recent
from .stac import fetch_json
from .types import Config, LocalFile, S3Access, S3File, Source

_TIMEOUT = (5.0, 20.0)  # connect, answer: seconds
_MOST_REDIRECTS = 3
_PASSING = (429, 500, 502, 503, 504)
# A token is not used for a new request this long before it ends.
_TOKEN_MARGIN = 120.0
# But it is used this long in any case: who gives a token that ends sooner gives the same one again when asked at once,
# and would be asked for every window.
_TOKEN_LEAST_USE = 5.0
_FOREVER = float("inf")
_TOKEN = re.compile(r"[^\s#\x00-\x1f]+")  # a query string


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The name by which GDAL opens a source, and until when it may (as time.time() counts)."""

    path: str
    valid_until: float = _FOREVER


def opening_of(source: Source, config: Config) -> Opening:
    """Check the source and add its token. Raises SceneUnreadable or ProviderUnavailable."""
    if isinstance(source, LocalFile):
        return Opening(path=str(source.path))
    if isinstance(source, S3File):
        return Opening(path=f"/vsis3/{source.bucket}/{source.key}")
    url, valid_until = source.url, _FOREVER
    if source.token_url:
        token, valid_until = _tokens.get(source.token_url, config.private_hosts)
        url = f"{url}{'&' if '?' in url else '?'}{token}"
    return Opening(path=f"/vsicurl/{_final_url(url, config.private_hosts)}", valid_until=valid_until)


def s3_options(access: S3Access | None) -> Mapping[str, str]:
    """GDAL's options for buckets of scenes. Without access nothing is signed, whatever the environment holds."""
    if access is None:
        return {"AWS_NO_SIGN_REQUEST": "YES"}
    options = {
        "AWS_NO_SIGN_REQUEST": "NO",
        "AWS_ACCESS_KEY_ID": access.access_key,
        "AWS_SECRET_ACCESS_KEY": access.secret_key,
        "AWS_REQUEST_PAYER": "requester" if access.requester_pays else "",
        "AWS_REGION": access.region,
        "AWS_S3_ENDPOINT": access.endpoint,
        "AWS_VIRTUAL_HOSTING": "FALSE" if access.endpoint else "",
    }
    # A session token in the environment belongs to the credentials of our own results.
    return {"AWS_SESSION_TOKEN": "", **{name: value for name, value in options.items() if value}}


_final_urls: Recent[str] = Recent(seconds=60, most=256)


def _final_url(url: str, private_hosts: PrivateHosts) -> str:
    """Where the redirects from `url` end, each step an address that may be reached. Asked once for all threads."""
    known = _final_urls.get(url)
    if known is None:
        known = _follow(url, private_hosts)
        _final_urls.put(url, known)
    return known


def _follow(url: str, private_hosts: PrivateHosts) -> str:
    for _ in range(_MOST_REDIRECTS + 1):
        following = _next_step(url, private_hosts)
        if following is None:
            return url
        try:
            url = urljoin(url, following)
        except ValueError as error:
            raise SceneUnreadable(f"{_place(url)} redirects to what is no address.", host=_place(url)) from error
    raise SceneUnreadable(f"The file at {_place(url)} is redirected again and again.")


def _next_step(url: str, private_hosts: PrivateHosts) -> str | None:
    """Where the host sends us on to; None where it gives the file itself."""
    try:
        with (
            open_session(url, private_hosts, _TIMEOUT) as session,
            session.get(url, headers={"Range": "bytes=0-0"}, stream=True) as response,
        ):
            return _judge(url, response)
    except ForbiddenAddress as error:
        raise SceneUnreadable(f"The catalogue names a file that may not be read: {error}") from error
    except InvalidIPAddress as error:
        raise SceneUnreadable(f"{_place(url)} is not a public address, so nothing is read from it.") from error
    except requests.RequestException as error:
        raise ProviderUnavailable(f"{_place(url)} does not answer. Try again later.", host=_place(url)) from error
    except ValueError as error:  # requests parses what the host redirects to, although it is not to follow
        raise SceneUnreadable(f"{_place(url)} redirects to what is no address.", host=_place(url)) from error


def _judge(url: str, response: requests.Response) -> str | None:
    if response.is_redirect:
        return response.headers["Location"]
    if response.status_code in _PASSING:
        raise ProviderUnavailable(
            f"{_place(url)} answers with status {response.status_code}. Try again later.", host=_place(url)
        )
    if response.status_code not in (200, 206):
        raise SceneUnreadable(f"{_place(url)} does not give the file: status {response.status_code}.", host=_place(url))
    if "text/html" in response.headers.get("Content-Type", ""):
        raise SceneUnreadable(
            f"{_place(url)} gives a web page, such as a login, in place of the file.", host=_place(url)
        )
    return None


class _Tokens:
    """Tokens by the URL that gives them, kept until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, private_hosts: PrivateHosts) -> tuple[str, float]:
        """(query string, moment from which it must not be used for a new request)."""
        with self._lock:
            token, valid_until = self._kept.get(url, ("", 0.0))
            if time.time() >= valid_until:
                token, valid_until = _fetch_token(url, private_hosts)
                self._kept[url] = token, valid_until
            return token, valid_until


_tokens = _Tokens()


def _fetch_token(url: str, private_hosts: PrivateHosts) -> tuple[str, float]:
    answer = fetch_json(url, private_hosts)
    try:
        ends = datetime.fromisoformat(str(answer["msft:expiry"]))
        token = answer["token"]
        if not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise ValueError("no token")
    except (KeyError, ValueError) as error:
        raise ProviderUnavailable(f"{_place(url)} gives no token. Try again later.", host=_place(url)) from error
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return token, max(ends.timestamp() - _TOKEN_MARGIN, time.time() + _TOKEN_LEAST_USE)


def _place(url: str) -> str:
    """Host of a URL; the rest may hold a token."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return "an address that is none"
