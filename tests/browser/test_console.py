"""Staff at work in a browser: find what failed, read why, mend it; keys and webhooks; and what a viewer may not do."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.admin.utils import quote
from playwright.sync_api import Page, expect

from tests.servers import Receiver, wait_until
from tests.service.conftest import Service

from .chromium import ColorScheme, Watch, serious_faults

JOBS = "/admin/processing/job/"
PAIR = ["sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"]
PASSWORD = "correct horse battery"

LogIn = Callable[[Page], Page]


@pytest.fixture(scope="module")
def jobs(service: Service) -> dict[str, str]:
    """The ids of jobs in every state that a page shows."""
    asked: dict[str, dict[str, Any]] = {
        "ndvi": {"params": {"colormap": "rdylgn"}},
        "change": {"operation": "change_detection", "scene_ids": PAIR},
        "unknown": {"scene_ids": ["sentinel-2:TEST_NOT_FOUND"]},
        "no data": {"scene_ids": ["sentinel-2:TEST_NO_DATA"]},
        "down": {"scene_ids": ["sentinel-2:TEST_PROVIDER_DOWN"]},
    }
    ids = {name: service.submit(**body)["job_id"] for name, body in asked.items()}
    for job_id in ids.values():
        service.wait_for(job_id)
    return ids


@contextmanager
def without_a_file(service: Service) -> Iterator[None]:
    """The sandbox as if one file of its later scene was lost."""
    file = next((service.data / "sandbox").glob("*/*20250115*/B04.tif"))
    aside = file.rename(file.with_suffix(".aside"))
    yield
    aside.rename(file)


def page_of(job_id: str) -> str:
    return f"{JOBS}{quote(job_id)}/change/"


def test_failed_job_is_found_read_retried_and_completes(page: Page, logged_in: LogIn, service: Service) -> None:
    with without_a_file(service):
        job_id = service.submit()["job_id"]
        code = service.wait_for(job_id)["error"]["code"]
    logged_in(page).get_by_role("navigation", name="Console").get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name=re.compile(rf"^{code} \(\d+\)$")).click()
    page.locator(f'a.job[title="{job_id}"]').click()
    expect(page.locator(".badge")).to_have_text("failed")
    expect(page.locator(".job-error")).to_contain_text(code)
    page.locator("#events-group summary").last.click()
    expect(page.locator("#events-group pre").last).to_contain_text("Traceback (most recent call last)")

    page.get_by_role("button", name="Retry").click()

    expect(page.get_by_text("Jobs retried: 1.")).to_be_visible()
    assert service.wait_for(job_id)["status"] == "completed"
    page.reload()
    expect(page.locator(".badge")).to_have_text("completed")
    expect(page.locator('#events-group tr[data-verb="retry"]')).to_contain_text("by admin")
    page.get_by_role("link", name="Open map").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Normalized Difference Vegetation Index")


def test_key_is_rolled_and_copied(watch: Watch, logged_in: LogIn, service: Service) -> None:
    service.manage("createapikey", "--account", "rolled", "--label", "to be rolled")
    page = logged_in(watch.open())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("navigation", name="Console").get_by_role("link", name="API keys").click()
    page.get_by_role("row", name="to be rolled").get_by_role("link").first.click()
    page.get_by_role("button", name="Roll").click()
    key = page.locator("code").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{service.url}/api/v1/account", headers=headers, timeout=10).status_code == 200
    assert serious_faults(page) == []


def test_webhook_is_sent_again(page: Page, logged_in: LogIn, service: Service) -> None:
    with Receiver([500]) as receiver:
        job_id = service.submit(webhook_url=receiver.hook)["job_id"]
        wait_until(lambda: (service.poll(job_id)["webhook"] or {}).get("state") == "given_up", 60, "giving up")
        receiver.answers = [204]
        logged_in(page).goto(page_of(job_id))
        page.get_by_role("button", name="Send webhook again").click()
        wait_until(lambda: service.poll(job_id)["webhook"]["state"] == "delivered", 30, "the delivery")
    page.reload()
    expect(page.locator("#events-group tr[data-verb=webhook]").last).to_contain_text("204 in")


def test_account_is_chosen_by_typing(page: Page, logged_in: LogIn, jobs: dict[str, str]) -> None:
    logged_in(page).goto(JOBS)
    field = page.get_by_label("Account")
    field.press_sequentially("fir")
    expect(page.locator("#account-names option")).to_have_attribute("value", "first")
    field.fill("first")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(f'a.job[title="{jobs["ndvi"]}"]')).to_be_visible()


def test_viewer_has_no_button_and_is_refused(watch: Watch, service: Service, jobs: dict[str, str]) -> None:
    make = "from django.contrib.auth.models import Group, User; "
    make += f"User.objects.create_user('viewer', password='{PASSWORD}', is_staff=True)"
    service.manage("shell", "-c", f"{make}.groups.add(Group.objects.get(name='Viewers'))")
    page = watch.open()
    page.goto("/admin/")
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(page_of(jobs["down"]))
    expect(page.locator(".job-error")).to_contain_text("PROVIDER_UNAVAILABLE")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    place = f"{service.url}{JOBS}{quote(jobs['down'])}/act/retry/"
    form: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token}
    answer = page.context.request.post(place, form=form, headers={"Referer": service.url})
    assert answer.status == 403
    assert service.poll(jobs["down"])["status"] == "failed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_fault(
    watch: Watch, logged_in: LogIn, jobs: dict[str, str], scheme: ColorScheme, screenshot: Callable[[Page, str], None]
) -> None:
    page = logged_in(watch.open(scheme))
    pages = {
        "console-front.png": "/admin/",
        "console-jobs.png": JOBS,
        "console-job.png": page_of(jobs["change"]),
        "ndvi": page_of(jobs["ndvi"]),
        "failed": page_of(jobs["down"]),
        "failures": "/admin/failures/",
        "account": "/admin/accounts/account/1/change/",
        "key": "/admin/accounts/apikey/1/change/",
    }
    for name, path in pages.items():
        page.goto(path)
        assert serious_faults(page) == [], path
        if scheme == "light" and Path(name).suffix:
            screenshot(page, name)


def test_list_fits_its_window(page: Page, logged_in: LogIn, jobs: dict[str, str]) -> None:
    logged_in(page).goto(JOBS)
    expect(page.locator("#result_list")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1300
    assert page.locator(".results").evaluate("results => results.scrollWidth <= results.clientWidth")
