"""A small client of STAC APIs: an item by its id, a search by time. Every answer is bounded in time and size."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from .errors import ProviderUnavailable
from .network import ForbiddenAddress, PrivateHosts, open_session

Item = Mapping[str, Any]

_TIMEOUT = (5.0, 20.0)  # connect, read: seconds
_MAX_ANSWER = 32 << 20  # bytes
_PAGE = 100
_MAX_PAGES = 10
_RETRY = Retry(
    total=3,
    backoff_factor=0.5,
    backoff_max=10,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "POST"),
    raise_on_status=False,
    redirect=False,
    respect_retry_after_header=False,
)


class StacApi:
    """The STAC API below `root`. Raises ProviderUnavailable where it does not answer as a STAC API does."""

    def __init__(self, root: str, private_hosts: PrivateHosts) -> None:
        self._root = root.rstrip("/")
        self._host = urlsplit(root).netloc
        self._private_hosts = private_hosts

    def item(self, collection: str, item_id: str) -> Item | None:
        """The item of that id; None where the catalogue has none."""
        answer = self._ask("GET", f"/collections/{quote(collection)}/items/{quote(item_id)}")
        if answer is not None and not _is_item(answer):
            raise self._unavailable("does not answer in STAC")
        return answer

    def search(self, collection: str, start: datetime, end: datetime) -> Iterator[Item]:
        """Items of the collection sensed between `start` and `end` (UTC), page by page."""
        body: dict[str, Any] | None = {
            "collections": [collection],
            "datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
            "limit": _PAGE,
        }
        for _ in range(_MAX_PAGES):
            page = self._ask("POST", "/search", body) or {"features": []}
            if not _is_page(page):
                raise self._unavailable("does not answer in STAC")
            yield from page["features"]
            body = _next_page(page, body)
            if body is None:
                return

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        try:
            with open_session(self._root, self._private_hosts, _TIMEOUT) as session:
                for adapter in session.adapters.values():
                    adapter.max_retries = _RETRY  # type: ignore[attr-defined]
                with session.request(method, self._root + path, json=body, stream=True) as response:
                    return self._read(response)
        except (requests.RequestException, HTTPError, ForbiddenAddress) as error:
            raise self._unavailable("does not answer") from error

    def _read(self, response: requests.Response) -> dict[str, Any] | None:
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise self._unavailable(f"answers with status {response.status_code}")
        content = response.raw.read(_MAX_ANSWER + 1, decode_content=True)
        if len(content) > _MAX_ANSWER:
            raise self._unavailable("sends more than a STAC answer can be")
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._unavailable("does not answer in JSON") from error
        if not isinstance(answer, dict):
            raise self._unavailable("does not answer in STAC")
        return answer

    def _unavailable(self, what: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"The catalogue at {self._host} {what}. Try again later.", host=self._host)


def _is_item(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and isinstance(value.get("properties"), dict)
        and isinstance(value.get("assets"), dict)
        and all(isinstance(asset, dict) for asset in value["assets"].values())
    )


def _is_page(value: Mapping[str, Any]) -> bool:
    features, links = value.get("features"), value.get("links", [])
    return (
        isinstance(features, list)
        and all(_is_item(item) for item in features)
        and isinstance(links, list)
        and all(isinstance(link, dict) for link in links)
    )


def _next_page(page: Mapping[str, Any], body: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The body of the search for the page after `page`; None after the last one."""
    for link in page.get("links", ()):
        if link.get("rel") == "next" and link.get("method", "GET").upper() == "POST" and page.get("features"):
            following = link.get("body") or {}
            return {**(body or {}), **following} if link.get("merge") else following
    return None
