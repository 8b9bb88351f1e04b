"""Viewers see everything and change nothing; operators act on jobs, webhooks, accounts and keys."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import Account, ApiKey
from processing.models import Job, WebhookDelivery, WebhookReceiver
from tests.processing.admin.staff import JOBS, member_of, page
from tests.processing.jobs import HOOK, completed, failed, queued, row

ACTIONS: dict[str, tuple[type[Any], list[str]]] = {
    JOBS: (Job, ["retry", "cancel", "expire", "extend", "resend", "delete_selected"]),
    "/admin/processing/webhookdelivery/": (WebhookDelivery, ["send_again", "delete_selected"]),
    "/admin/processing/webhookreceiver/": (WebhookReceiver, ["switch_on", "delete_selected"]),
    "/admin/accounts/account/": (Account, ["roll_webhook_secret", "delete_selected"]),
    "/admin/accounts/apikey/": (ApiKey, ["roll", "revoke", "delete_selected"]),
}
ALL_ACTIONS = [(place, action) for place, (_, actions) in ACTIONS.items() for action in actions]


@pytest.fixture
def jobs(key: ApiKey) -> list[Job]:
    return [queued(key), completed(key, webhook_url=HOOK), failed(key, webhook_url=HOOK)]


def everything() -> list[Any]:
    """All rows that staff can act on."""
    return [list(model.objects.order_by("pk").values()) for model, _ in ACTIONS.values()]


@pytest.mark.parametrize(("place", "action"), ALL_ACTIONS)
def test_viewer_may_take_no_action(jobs: list[Job], place: str, action: str) -> None:
    viewer, before = member_of("Viewers"), everything()
    chosen = [str(pk) for pk in ACTIONS[place][0].objects.values_list("pk", flat=True)]
    assert chosen
    viewer.post(place, {"action": action, "_selected_action": chosen, "confirmed": "yes", "post": "yes"})
    assert everything() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("verb", ["retry", "cancel", "expire", "extend", "resend"])
def test_viewer_may_press_no_button(jobs: list[Job], verb: str) -> None:
    viewer, before = member_of("Viewers"), everything()
    for job in jobs:
        assert viewer.post(f"{JOBS}{quote(job.pk)}/act/{verb}/", {"confirmed": "yes"}).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("place", ACTIONS)
@pytest.mark.parametrize("end", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_viewer_may_post_no_form(jobs: list[Job], place: str, end: str) -> None:
    viewer, before = member_of("Viewers"), everything()
    pk = quote(str(ACTIONS[place][0].objects.values_list("pk", flat=True)[0]))
    answer = viewer.post(place + end.format(pk=pk), {"name": "mine", "plan": "enterprise", "label": "mine"})
    assert answer.status_code in (403, 405)
    assert everything() == before


def test_viewer_may_retry_no_group(jobs: list[Job]) -> None:
    viewer, before = member_of("Viewers"), everything()
    form = {"error_code": "SCENE_UNREADABLE", "stage": "", "provider": "sentinel-2"}
    assert viewer.post("/admin/failures/retry/", form).status_code == 403
    assert everything() == before


def test_viewer_sees_all_pages_without_a_button(jobs: list[Job]) -> None:
    viewer = member_of("Viewers")
    for path in ("/admin/", "/admin/failures/", *ACTIONS, *(f"{JOBS}{quote(job.pk)}/change/" for job in jobs)):
        shown = page(viewer, path)
        assert "/act/" not in shown
        assert "Retry all" not in shown


def test_operator_retries(jobs: list[Job]) -> None:
    operator = member_of("Operators")
    operator.post(f"{JOBS}{quote(jobs[2].pk)}/act/retry/")
    assert row(jobs[2])["status"] == "queued"


def test_operator_rolls_a_key_and_is_no_superuser(key: ApiKey) -> None:
    operator = member_of("Operators")
    answer = operator.post("/admin/accounts/apikey/", {"action": "roll", "_selected_action": key.pk})
    assert "astra_sk_test_" in answer.content.decode()
    assert operator.get("/admin/auth/user/").status_code == 403


def test_groups_cannot_delete(db: None) -> None:
    held = Group.objects.filter(name__in=["Viewers", "Operators"]).values_list("permissions__codename", flat=True)
    assert held
    assert [name for name in held if name.startswith("delete")] == []


def test_staff_without_a_group_see_no_job(client: Client, key: ApiKey, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    job = failed(key)
    assert job.pk not in page(client, "/admin/")
    for path in (JOBS, f"{JOBS}{quote(job.pk)}/change/", "/admin/failures/"):
        assert client.get(path).status_code == 403
