"""A small client of STAC APIs: items by their ids or by time."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

from processing.http import PrivateHosts, fetch_json
from processing.http.fetch import HostUnavailable
from processing.http.guard import host_of
from processing.http.pace import Pace
from processing.http.recent import Recent

from ..errors import ProviderUnavailable
from .catalogue import Catalogue

Item = Mapping[str, Any]

_PAGE = 100
_MAX_PAGES = 50


def in_order_of(collections: Sequence[str], items: Sequence[Item]) -> list[Item]:
    """The items of the first collection first, and those of no such collection last."""
    order = {collection: rank for rank, collection in enumerate(collections)}
    return sorted(items, key=lambda item: order.get(str(item.get("collection")), len(order)))


class _Asked(NamedTuple):
    """A request for a page: a POST if there is a body, else a GET."""

    url: str
    body: Mapping[str, Any] | None


class StacApi:
    """The STAC API below `root`. Raises ProviderUnavailable if it does not answer as a STAC API does.

    It has `seconds` from now on for all its answers. If it fails it is asked again, but only if `asks_again`. `pace`
    limits the requests.
    """

    def __init__(
        self,
        root: str,
        private_hosts: PrivateHosts,
        *,
        seconds: float,
        asks_again: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._root = root.rstrip("/")
        self._host = host_of(root)
        self._private_hosts = private_hosts
        self._ends = time.monotonic() + seconds
        self._asks_again = asks_again
        self._pace = pace

    def items(self, collections: Sequence[str], ids: Sequence[str]) -> list[Item]:
        """Items with these ids, in any of the collections. What else a server answers is not believed."""
        body = {"collections": list(collections), "ids": list(ids), "limit": _PAGE}
        return [item for item in self._pages(body) if item["id"] in ids]

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
        raise ProviderUnavailable.at(self._host, "has more items for this id than can be looked through")

    def _page(self, asked: _Asked) -> dict[str, Any]:
        key = asked.url + json.dumps(asked.body, sort_keys=True)
        if (known := _answers.get(key)) is None:
            known = self._fetch(asked)
            if known["features"]:  # an item that is missing now may be there in a moment
                _answers.put(key, known)
        return known

    def _fetch(self, asked: _Asked) -> dict[str, Any]:
        try:
            page = fetch_json(
                asked.url,
                self._private_hosts,
                asked.body,
                within=self._ends - time.monotonic(),
                asks_again=self._asks_again,
                pace=self._pace,
            )
        except HostUnavailable as error:
            raise ProviderUnavailable.at(error.host, error.fault, error.retry_after) from error
        if not _is_page(page):
            raise ProviderUnavailable.at(self._host, "does not answer as a STAC API does")
        return page


# Both scenes of a job often need the same answer, and so does its next attempt.
_answers: Recent[dict[str, Any]] = Recent(seconds=120, most=64)

_paces: dict[str, Pace] = {}


def pace_of(catalogue: Catalogue) -> Pace | None:
    """The pace at which this process asks the catalogue's host; None if the host has no limit."""
    if catalogue.requests_per_second is None:
        return None
    return _paces.setdefault(catalogue.host, Pace(1 / catalogue.requests_per_second))


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
    """The request for the page after `page`; None after the last one."""
    for link in page.get("links", ()) if page.get("features") else ():
        if link.get("rel") == "next" and (following := _follow(link, asked, root)):
            return following
    return None


def _follow(link: Mapping[str, Any], asked: _Asked, root: str) -> _Asked | None:
    method, body, href = str(link.get("method", "GET")).upper(), link.get("body"), link.get("href")
    if method == "POST" and isinstance(body, dict):
        return _Asked(f"{root}/search", {**(asked.body or {}), **body} if link.get("merge") else body)
    # Some servers answer a POST with a GET link that repeats the whole query.
    if method == "GET" and isinstance(href, str) and (url := _at_same_host(href, asked.url)):
        return _Asked(url, None)
    return None


def _at_same_host(href: str, url: str) -> str | None:
    """`href` as a URL at the host of `url`, the only one that the operator chose. None if it is malformed."""
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, href))
    except ValueError:
        return None
    return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))
