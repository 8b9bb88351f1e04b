"""Staff log in to the admin in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .chromium import ColorScheme, Watch, serious_faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_log_in(watch: Watch, logged_in: Callable[[Page], Page], scheme: ColorScheme) -> None:
    page = logged_in(watch.open(scheme))

    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()
    assert serious_faults(page) == []


def test_wrong_password_is_refused_in_words(page: Page) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
