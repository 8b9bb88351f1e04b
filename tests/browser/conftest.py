"""A served instance with a worker, and pages of it in headless Chromium.

A test that uses `watch` or `page` fails if any page has an error in its console or asks another host.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.service.conftest import Service

from . import chromium
from .chromium import Watch

_WITHOUT_CHROMIUM = "no pages are shown: this machine has no Chromium (apt-get install chromium)"


@pytest.fixture(scope="session")
def service(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One instance for all tests of pages. It may send webhooks to 127.0.0.1, sweeps often, and retries soon."""
    data = tmp_path_factory.mktemp("browser")
    shutil.copytree(sandbox, data / "sandbox", copy_function=os.link)
    environment = {
        "ASTRA_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1",
        "ASTRA_SWEEP_SECONDS": "0.5",
        "ASTRA_WEBHOOK_DELAYS": "0.2,0.4,0.8,1,1",
    }
    running = Service(data, environment).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while it runs, the thread has an event loop, and Django's models refuse to be used."""
    path = chromium.chromium_path()
    if path is None:
        pytest.skip(_WITHOUT_CHROMIUM)
    with sync_playwright() as playwright:
        expect.set_options(timeout=chromium.PATIENCE)
        browser = chromium.launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture
def watch(browser: Browser, service: Service) -> Iterator[Watch]:
    """Opens pages of the instance, light or dark, wide or narrow."""
    watch = Watch(browser, service.url)
    yield watch
    watch.close()
    assert watch.faults == []


@pytest.fixture
def page(watch: Watch) -> Page:
    """A light page of a desktop's width."""
    return watch.open()


@pytest.fixture
def logged_in(watch: Watch, service: Service) -> Callable[[Page], Page]:
    """Logs a page in to the admin as the superuser that `up` makes."""

    def log_in(page: Page) -> Page:
        page.goto("/admin/")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill((service.data / "admin_password").read_text())
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return page

    return log_in


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Page, str], None]:
    """Saves a page as an image of the documentation, if ASTRA_TEST_SCREENSHOTS is set."""
    return lambda page, name: chromium.save_screenshot(page, name, tmp_path)
