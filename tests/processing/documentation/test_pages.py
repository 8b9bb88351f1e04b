"""The pages of documentation: what they are made of, where their links lead, and what a stranger's Host can do."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import Settings

from processing.documentation import Page, all_pages
from tests import worked_example
from tests.documented_code import blocks_of

PAGES = ["/", *(page.url for page in all_pages())]
# Links that lead to pages of others. They are not followed.
OUTSIDE = {"https://www.standardwebhooks.com/"}


class Parsed(HTMLParser):
    """Links, ids, and whatever a content security policy would refuse."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.refused: list[str] = []
        self._is_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := found.get(name))]
        self.ids += [value for name in ("id",) if (value := found.get(name))]
        self.refused += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self._is_script = tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.refused.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False


def parsed(client: Client, path: str) -> Parsed:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer["Content-Type"].startswith("text/html")
    return Parsed(answer.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_page_needs_nothing_that_its_policy_refuses(client: Client, path: str) -> None:
    assert parsed(client, path).refused == []


@pytest.mark.parametrize("path", PAGES)
def test_no_id_stands_twice(client: Client, path: str) -> None:
    ids = parsed(client, path).ids
    assert sorted(ids) == sorted(set(ids))


def test_no_link_is_dead(client: Client) -> None:
    pages = {path: parsed(client, path) for path in PAGES}
    assert [fault for path in PAGES for fault in dead_links(client, path, pages)] == []


def dead_links(client: Client, path: str, pages: dict[str, Parsed]) -> Iterator[str]:
    for link in pages[path].links:
        target, fragment = urldefrag(urljoin(path, link))
        if "://" in target:
            if target not in OUTSIDE:
                yield f"{path}: {link} leads outside"
        elif target in pages:
            if fragment and fragment not in pages[target].ids:
                yield f"{path}: {link} has no such anchor"
        elif not is_there(client, target):
            yield f"{path}: {link} leads nowhere"


def is_there(client: Client, path: str) -> bool:
    if path.startswith("/static/"):
        return finders.find(path.removeprefix("/static/")) is not None
    return client.get(path).status_code in (200, 302)


def test_every_page_is_in_the_contents(client: Client) -> None:
    links = parsed(client, "/docs/").links
    assert [page.url for page in all_pages() if page.url not in links] == []


@pytest.mark.parametrize("path", ["/docs", "/docs/errors", "/docs/operations/ndvi"])
def test_address_without_its_slash_leads_to_the_page(client: Client, path: str) -> None:
    assert client.get(path, follow=True).redirect_chain == [(f"{path}/", 302)]


def test_unknown_page_says_so_and_shows_the_contents(client: Client) -> None:
    answer = client.get("/docs/nothing/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_front_page_leads_to_docs_reference_and_admin(client: Client) -> None:
    links = parsed(client, "/").links
    assert {"/docs/", "/docs/reference/", "/admin/"} <= set(links)


# --- The address of this very instance ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_code_names_the_host_that_was_asked(client: Client, path: str) -> None:
    blocks = blocks_of(client.get(path, headers={"Host": "localhost:8123"}).content.decode())
    programs = [block.code for block in blocks if block.role == "run" and "/api/v1" in block.code]
    assert [code for code in programs if "http://localhost:8123" not in code and "BASE" not in code] == []


def test_public_url_goes_before_the_host(client: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://maps.example"
    html = client.get("/docs/").content.decode()
    assert "https://maps.example/api/v1/process" in html
    assert "testserver" not in html


def test_address_is_escaped(client: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = 'https://"><script>'
    assert "<script>" not in client.get("/docs/").content.decode().partition("<main")[2]


# --- Operations -----------------------------------------------------------------------------------------------------


def test_new_operation_has_a_page_of_its_own(client: Client, tmp_path: Path) -> None:
    with worked_example.in_place(tmp_path):
        assert "/docs/operations/ndwi/" in parsed(client, "/docs/").links
        html = client.get("/docs/operations/ndwi/").content.decode()
    assert "(green - nir) / (green + nir)" in html
    assert "McFeeters (1996)" in html
    assert '<tr id="param-colormap">' in html


def operation_pages() -> list[Page]:
    return [page for page in all_pages() if page.operation]


@pytest.mark.parametrize("page", operation_pages(), ids=lambda page: page.operation)
def test_page_of_an_operation_begins_with_its_picture_and_legend(client: Client, page: Page) -> None:
    html = client.get(page.url).content.decode()
    before_the_text = html.partition("<main")[2].partition("<section")[0]
    assert f"/static/docs/{page.operation}.jpg" in before_the_text
    assert "<figcaption" in before_the_text


def test_classes_of_a_map_have_the_colours_of_the_file(client: Client) -> None:
    from processing.raster.operations import get_operation

    html = client.get("/docs/operations/change_detection/").content.decode()
    operation = get_operation("change_detection")
    pixel_format = operation.pixel_format(operation.params_model())
    for name, color in zip(pixel_format.class_names, pixel_format.palette, strict=False):
        assert f"<td>{name}</td><td><code>#{bytes(color[:3]).hex()}</code></td>" in html
