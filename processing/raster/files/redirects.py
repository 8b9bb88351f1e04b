"""Asking for a part of a file, and following redirects. Each step is checked before it is taken."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from processing.http import ForbiddenAddress, session_for
from processing.http.guard import host_of
from processing.http.recent import Recent
from processing.http.retry import PassingFault, refuse_passing_status

from ..errors import SceneUnreadable
from .locations import Location, WebLocation, unreadable

_MOST_REDIRECTS = 3

_final_urls: Recent[str] = Recent(seconds=60, most=256)


@contextmanager
def final_answer(location: Location, wanted: Mapping[str, str]) -> Iterator[requests.Response]:
    """The answer that holds the file or a part of it, after all redirects. `wanted` are the headers of the request.

    Raises PassingFault or SceneUnreadable.
    """
    first = location.url()
    url = _known_end(location, first)
    for _ in range(_MOST_REDIRECTS + 1):
        with _ask(url, location, wanted) as response:
            moved_to = location.moved_to(response)
            if moved_to is None:
                _refuse_other_answers(response)
                _note_end(location, first, url)
                yield response
                return
            url = moved_to
    raise unreadable(first, "redirects again and again")


def _ask(url: str, location: Location, wanted: Mapping[str, str]) -> requests.Response:
    try:
        session = session_for(url, location.private_hosts)
        return session.get(url, headers=dict(location.headers(url, wanted)), stream=True)
    except (ForbiddenAddress, InvalidIPAddress, requests.exceptions.InvalidURL) as error:
        raise _refused(url, location, error) from error
    except (requests.RequestException, HTTPError) as error:
        raise PassingFault("does not answer") from error
    except ValueError as error:  # a host name that cannot be encoded
        raise _refused(url, location, error) from error


def _refused(url: str, location: Location, error: Exception) -> SceneUnreadable:
    """The address may be the catalogue's own, or that of a redirect."""
    if isinstance(error, ForbiddenAddress):
        reason = str(error)
    elif isinstance(error, InvalidIPAddress):
        reason = f"{host_of(url)} is not a public address."
    else:
        reason = "This is not a URL."
    host = {"host": location.host} if location.host else {}
    return SceneUnreadable(f"The address of the file may not be read. {reason}", **host)


def _known_end(location: Location, url: str) -> str:
    """The URL at which redirects from `url` ended lately. A bucket is asked itself each time."""
    return (_final_urls.get(url) if isinstance(location, WebLocation) else None) or url


def _note_end(location: Location, url: str, end: str) -> None:
    if isinstance(location, WebLocation):
        _final_urls.put(url, end)


def _refuse_other_answers(response: requests.Response) -> None:
    """Raise PassingFault or SceneUnreadable unless the answer holds the file or a part of it."""
    refuse_passing_status(response)
    if response.status_code not in (200, 206):
        raise unreadable(response.url, f"does not send the file: status {response.status_code}")
    if "text/html" in response.headers.get("Content-Type", "").lower():
        raise unreadable(response.url, "sends a web page, such as a login, instead of the file")
