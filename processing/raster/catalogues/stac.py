"""A small client of STAC APIs: items by their ids or by time. Every answer is bounded in time and size."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from ...http.guard import ForbiddenAddress, PrivateHosts, open_session
from ...http.recent import Recent
from ...http.retry import PassingFault, patiently, refuse_passing_status
from ..errors import ProviderUnavailable

Item = Mapping[str, Any]

_TIMEOUT = (5.0, 20.0)  # connect, and between two parts of an answer: seconds
_LONGEST_ANSWER = 60.0  # seconds
_MOST_BYTES = 32 << 20
_PAGE = 250
_MAX_PAGES = 20


class _Asked(NamedTuple):
    """What is asked for a page: by POST where there is a body, else by GET."""

    url: str
    body: Mapping[str, Any] | None


class StacApi:
    """The STAC API below `root`. Raises ProviderUnavailable where it does not answer as a STAC API does."""

    def __init__(self, root: str, private_hosts: PrivateHosts) -> None:
        self._root = root.rstrip("/")
        self._private_hosts = private_hosts

    def items(self, collections: Sequence[str], ids: Sequence[str]) -> list[Item]:
        """The items of those ids, in any of the collections."""
        body = {"collections": list(collections), "ids": list(ids), "limit": _PAGE}
        return list(self._pages(body))

    def search(
        self, collections: Sequence[str], start: datetime, end: datetime, bbox: Sequence[float] | None = None
    ) -> Iterator[Item]:
        """Items of the collections sensed between `start` and `end` (UTC), page by page.

        `bbox` is west, south, east and north in degrees.
        """
        body = {
            "collections": list(collections),
            "datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
            "limit": _PAGE,
        }
        return self._pages({**body, "bbox": list(bbox)} if bbox else body)

    def _pages(self, body: dict[str, Any]) -> Iterator[Item]:
        asked = _Asked(f"{self._root}/search", body)
        for _ in range(_MAX_PAGES):
            page = self._page(asked)
            yield from page["features"]
            following = _next_page(page, asked, self._root)
            if following is None:
                return
            asked = following
        raise _unavailable(self._root, "has more items for this id than can be looked through")

    def _page(self, asked: _Asked) -> dict[str, Any]:
        key = asked.url + json.dumps(asked.body, sort_keys=True)
        if (known := _answers.get(key)) is None:
            known = fetch_json(asked.url, self._private_hosts, asked.body)
            if not _is_page(known):
                raise _unavailable(self._root, "does not answer as a STAC API does")
            if known["features"]:  # what is not there now may be there in a moment
                _answers.put(key, known)
        return known


# Both scenes of a job, and its later tries, ask the same.
_answers: Recent[dict[str, Any]] = Recent(seconds=120, most=64)


def fetch_json(url: str, private_hosts: PrivateHosts, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON object at `url`, by POST where there is a body. Raises ProviderUnavailable naming the host."""
    try:
        return patiently(lambda: _ask_once(url, private_hosts, body))
    except PassingFault as fault:
        raise _unavailable(url, fault.what, fault.retry_after) from fault


def _ask_once(url: str, private_hosts: PrivateHosts, body: Mapping[str, Any] | None) -> dict[str, Any]:
    method = "GET" if body is None else "POST"
    try:
        with (
            open_session(url, private_hosts, _TIMEOUT, _LONGEST_ANSWER) as session,
            session.request(method, url, json=body, stream=True) as response,
        ):
            refuse_passing_status(response)
            if response.status_code != 200:
                raise _unavailable(url, f"answers with status {response.status_code}")
            return _read_object(url, response)
    except ForbiddenAddress as error:
        raise _unavailable(url, f"may not be reached: {error}") from error
    except InvalidIPAddress as error:
        raise _unavailable(url, "is not a public address") from error
    except (requests.RequestException, HTTPError) as error:
        raise PassingFault("does not answer") from error


def _read_object(url: str, response: requests.Response) -> dict[str, Any]:
    content = bytearray()
    for part in response.iter_content(1 << 16):
        content += part
        if len(content) > _MOST_BYTES:
            raise _unavailable(url, "sends more than an answer can be")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unavailable(url, "does not answer in JSON") from error
    if not isinstance(answer, dict):
        raise _unavailable(url, "does not answer with a JSON object")
    return answer


def _unavailable(url: str, what: str, retry_after: float = 0.0) -> ProviderUnavailable:
    host = urlsplit(url).netloc
    details = {"retry_after": retry_after} if retry_after else {}
    return ProviderUnavailable(f"The catalogue at {host} {what}. Try again later.", host=host, **details)


def _is_page(value: Mapping[str, Any]) -> bool:
    features, links = value.get("features"), value.get("links", [])
    return (
        isinstance(features, list)
        and all(_is_item(item) for item in features)
        and isinstance(links, list)
        and all(isinstance(link, dict) for link in links)
    )


def _is_item(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and isinstance(value.get("properties"), dict)
        and isinstance(value.get("assets"), dict)
        and all(isinstance(asset, dict) for asset in value["assets"].values())
    )


def _next_page(page: Mapping[str, Any], asked: _Asked, root: str) -> _Asked | None:
    """What to ask for the page after `page`; None after the last one."""
    for link in page.get("links", ()) if page.get("features") else ():
        if link.get("rel") == "next" and (following := _follow(link, asked, root)):
            return following
    return None


def _follow(link: Mapping[str, Any], asked: _Asked, root: str) -> _Asked | None:
    method, body, href = str(link.get("method", "GET")).upper(), link.get("body"), link.get("href")
    if method == "POST" and isinstance(body, dict):
        return _Asked(f"{root}/search", {**(asked.body or {}), **body} if link.get("merge") else body)
    # Some servers answer a POST with a link to GET, which holds all that was asked.
    if method == "GET" and isinstance(href, str) and (url := _at_same_host(href, asked.url)):
        return _Asked(url, None)
    return None


def _at_same_host(href: str, url: str) -> str | None:
    """Where `href` leads from `url`, but at the host of `url`: the operator chose no other. None for no address."""
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, href))
    except ValueError:
        return None
    return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))
