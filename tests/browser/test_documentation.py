"""The pages of documentation in a browser: readable by all, with and without JavaScript; their code in other pages."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Browser, Page, expect

from processing.documentation import all_pages
from tests.documented_code import KEY, RECEIVER, programs, served_blocks
from tests.servers import HttpServer
from tests.service.conftest import Service

from .chromium import DESKTOP, PHONE, ColorScheme, Watch, serious_faults

PATHS = ["/", *(page.url for page in all_pages())]
WITH_JAVASCRIPT = [page.url for page in all_pages() if page.operation or "```javascript\n" in page.text]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_all(watch: Watch, scheme: ColorScheme) -> None:
    page = watch.open(scheme)
    faults = {}
    for path in PATHS:
        page.goto(path)
        faults[path] = serious_faults(page)
    assert {path: found for path, found in faults.items() if found} == {}


def test_no_page_is_wider_than_a_phone(watch: Watch) -> None:
    page = watch.open(viewport=PHONE)
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_pages_read_without_javascript(browser: Browser, service: Service) -> None:
    page = browser.new_context(base_url=service.url, java_script_enabled=False).new_page()
    page.goto("/docs/")
    expect(page.get_by_role("heading", name="Getting started")).to_be_visible()
    expect(page.locator("pre[data-language=bash]").first).to_be_visible()
    expect(page.locator("pre[data-language=python]").first).to_be_hidden()
    page.locator("label", has_text="Python").first.click()
    expect(page.locator("pre[data-language=python]").first).to_be_visible()
    page.get_by_role("link", name="Errors", exact=True).first.click()
    expect(page.get_by_role("heading", name="All codes")).to_be_visible()
    page.context.close()


def test_chosen_language_holds_for_all_code_and_pages(page: Page) -> None:
    page.goto("/docs/")
    page.locator("label", has_text="JavaScript").first.click()
    page.goto("/docs/submit/")

    expect(page.locator("pre[data-language=javascript]").first).to_be_visible()
    expect(page.locator("pre[data-language=bash]").first).to_be_hidden()
    expect(page.locator("pre[data-language=javascript]").last).to_be_visible()


def test_pasted_key_is_filled_in_and_forgotten(page: Page) -> None:
    page.goto("/docs/")
    page.get_by_label("Your test key").fill("astra_sk_test_pasted")
    expect(page.locator("pre[data-language=bash]").first).to_contain_text("Bearer astra_sk_test_pasted")
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "pasted" not in stored

    page.reload()
    expect(page.locator("pre[data-language=bash]").first).to_contain_text(KEY)


def test_code_is_copied_as_it_is_shown(page: Page, service: Service) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service.url)
    page.goto("/docs/")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == served_blocks(f"{service.url}/docs/")[0].code


def test_pictures_of_the_documentation(watch: Watch, screenshot: Callable[[Page, str], None]) -> None:
    page = watch.open(viewport=DESKTOP)
    page.goto("/docs/operations/change_detection/")
    expect(page.locator("figure img")).to_have_js_property("complete", value=True)
    screenshot(page, "docs.jpg")


# --- In a page of another origin ------------------------------------------------------------------------------------


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def other_origin(browser: Browser) -> Iterator[Page]:
    with HttpServer(_EmptyPage) as server:
        page = browser.new_context(base_url=server.url).new_page()
        page.goto("/")
        yield page
        page.context.close()


@pytest.mark.parametrize("path", WITH_JAVASCRIPT)
def test_documented_javascript_runs_in_a_page_of_another_origin(
    other_origin: Page, service: Service, path: str
) -> None:
    blocks = served_blocks(f"{service.url}{path}")
    values = {KEY: service.key, RECEIVER: "https://127.0.0.1:8443/"}
    code = "\n".join(programs(blocks, "javascript", values))
    printed: list[str] = []
    other_origin.on("console", lambda message: printed.append(message.text))
    other_origin.set_default_timeout(60_000)
    other_origin.evaluate(f"async () => {{ {code} }}")
    assert printed
    if path == "/docs/":  # the download, a part of it first
        assert any(line.startswith("206 bytes 0-16383/") for line in printed)
        assert printed[-1].endswith(" bytes")
