"""Links to further pages: followed at the host that the operator chose, and not for ever."""

import json
from contextlib import suppress
from typing import Any

import pytest

from processing.raster.errors import ProviderUnavailable, SceneNotFound
from tests.raster.catalogues.stac.answers import BY_TIME, FOUND, ITEM, ITEM_ID, NAMES, page_of, sentinel_2, unavailable
from tests.raster.support.misbehaving import Answer, AnyServer

pytestmark = pytest.mark.usefixtures("naps")

WITHOUT_A_NAME = {**ITEM, "properties": {}}
MOST_PAGES = 50


def next_link(**link: Any) -> Answer:
    """A page without the scene that leads to another one."""
    link = {"rel": "next", "method": "POST", "href": "https://elsewhere.example/search", "body": {"token": 1}, **link}
    return page_of(WITHOUT_A_NAME, links=[link])


def nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads('{"a":' * depth + "1" + "}" * depth)
    return made


@pytest.mark.parametrize(
    "link",
    [{"body": 5}, {"body": []}, {"body": "token"}, {"body": None}, {"merge": True, "body": 5}, {"merge": "yes"},
     {"method": 5}, {"method": None}, {"rel": ["next"]}, {"method": "GET", "href": 5},
     {"method": "GET", "href": None}, {"method": "GET", "href": "http://[::1"}, {"method": "GET", "href": "mailto:x"},
     {"method": "GET", "href": "\u0000 /\n"}, {"method": "GET", "href": ""}, {"body": nested(500), "merge": True}],
    ids=lambda link: json.dumps(link)[:40],
)  # fmt: skip
def test_malformed_link_to_the_next_page_raises_a_named_error(link: dict[str, Any]) -> None:
    with AnyServer(next_link(**link)) as server, pytest.raises((ProviderUnavailable, SceneNotFound)):
        sentinel_2(server)
    assert len(server.asked) <= MOST_PAGES


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    "link", [{"method": None}, {"body": 5}, {"body": 5, "merge": True}, {"body": {"page": 2}, "merge": True}], ids=str
)
def test_scene_on_the_first_page_is_found_or_refused_whatever_the_link(link: dict[str, Any], name: str) -> None:
    page = page_of(ITEM, links=[{"rel": "next", "method": "POST", **link}])
    with AnyServer(page) as server, suppress(ProviderUnavailable):
        assert sentinel_2(server, name).item_id == ITEM_ID
    assert len(server.asked) <= MOST_PAGES


def test_pages_without_end_are_given_up() -> None:
    pages = [next_link(body={"token": number}, merge=True) for number in range(1000)]
    with AnyServer(*pages) as server, unavailable(server):
        sentinel_2(server, BY_TIME)
    assert 2 <= len(server.asked) <= MOST_PAGES


def test_pages_without_end_are_given_up_by_get_too() -> None:
    pages = [next_link(method="GET", href=f"/search?page={number}") for number in range(1000)]
    with AnyServer(*pages) as server, unavailable(server):
        sentinel_2(server, BY_TIME)
    assert 2 <= len(server.asked) <= MOST_PAGES


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_page_that_leads_to_itself_is_given_up(method: str) -> None:
    with AnyServer(next_link(method=method)) as server, unavailable(server):
        sentinel_2(server, BY_TIME)
    assert len(server.asked) <= MOST_PAGES


def test_next_page_is_asked_of_the_same_host_with_the_first_query() -> None:
    """A link may name any host; only the root that the operator chose is asked."""
    with AnyServer(next_link(body={"token": "two"}, merge=True), FOUND) as server:
        assert sentinel_2(server, BY_TIME).item_id == ITEM_ID
    (_, first_path, first), (_, second_path, second) = server.asked
    assert first_path == second_path
    assert json.loads(second) == {**json.loads(first), "token": "two"}
    assert json.loads(first)["datetime"] == "2023-06-02T10:01:01Z/2023-06-02T11:06:01Z"


@pytest.mark.parametrize("host", ["", "https://elsewhere.example", "//elsewhere.example"])
@pytest.mark.parametrize("method", [{"method": "GET"}, {"method": "get"}, {}], ids=str)
def test_next_page_by_get_is_asked_of_the_same_host(host: str, method: dict[str, str]) -> None:
    link = {"rel": "next", "href": f"{host}/stac/search?token=next%3Aa&limit=2", **method}
    with AnyServer(page_of(WITHOUT_A_NAME, links=[link]), FOUND) as server:
        assert sentinel_2(server, BY_TIME).item_id == ITEM_ID
    assert server.asked[1:] == [("GET", "/stac/search?token=next%3Aa&limit=2", b"")]


def test_next_page_by_get_may_be_named_by_its_query_alone() -> None:
    pages = [next_link(method="GET", href=f"?token={name}") for name in ("two", "three")]
    with AnyServer(*pages, FOUND) as server:
        assert sentinel_2(server, BY_TIME).item_id == ITEM_ID
    assert [path for _, path, _ in server.asked] == ["/search", "/search?token=two", "/search?token=three"]


def test_pages_by_get_and_by_post_may_follow_each_other() -> None:
    by_get, by_post = next_link(method="GET", href="?token=two"), next_link(body={"token": "three"})
    with AnyServer(by_get, by_post, FOUND) as server:
        assert sentinel_2(server, BY_TIME).item_id == ITEM_ID
    assert server.asked[1:] == [("GET", "/search?token=two", b""), ("POST", "/search", b'{"token": "three"}')]
