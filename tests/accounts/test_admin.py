"""Keys in the admin: shown once, revoked, rolled, never deleted."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Account, ApiKey, KeyUsage
from tests.accounts.clock import Clock

KEYS = "/admin/accounts/apikey/"
KEY_TEXT = re.compile(r"astra_sk_(?:live|test)_[0-9A-Za-z]{36}")


def shown_keys(page: bytes) -> list[str]:
    return KEY_TEXT.findall(html.unescape(page.decode()))


def run_action(client: Client, action: str, *keys: ApiKey) -> bytes:
    form = {"action": action, "_selected_action": [str(key.pk) for key in keys]}
    return bytes(client.post(KEYS, form, follow=True).content)


def test_new_key_is_shown_once_and_stored_as_its_digest(admin_client: Client, account: Account) -> None:
    form = {"account": account.pk, "mode": "live", "scope": "read", "label": "ground station"}
    page = admin_client.post(f"{KEYS}add/", form)
    (text,) = shown_keys(page.content)
    assert text[14:] not in str(page.cookies) + str(page.headers)
    key = ApiKey.authenticate(text)
    assert key is not None
    assert (key.account, key.mode, key.scope, key.label) == (account, "live", "read", "ground station")
    assert ApiKey.objects.count() == 1
    for address in (KEYS, f"{KEYS}{key.pk}/change/", f"{KEYS}{key.pk}/history/"):
        assert shown_keys(admin_client.get(address).content) == []
    stored = [str(row) for model in (ApiKey, LogEntry, Session) for row in model.objects.values_list()]
    assert text[14:44] not in "".join(stored)


def test_change_page_shows_no_digest(admin_client: Client, account: Account) -> None:
    key, _ = ApiKey.objects.issue(account, "test")
    page = admin_client.get(f"{KEYS}{key.pk}/change/")
    assert page.status_code == 200
    assert key.digest not in page.content.decode()


def test_only_the_label_of_a_key_changes_later(admin_client: Client, account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "test", "before")
    other = Account.objects.create(name="Other")
    form = {"account": other.pk, "mode": "live", "label": "after", "revoked_at": "2020-01-01"}
    assert admin_client.post(f"{KEYS}{key.pk}/change/", form).status_code == 302
    changed = ApiKey.authenticate(text)
    assert changed is not None
    assert (changed.account, changed.mode, changed.label) == (account, "test", "after")


def test_revoking_ends_only_the_selected_keys(admin_client: Client, account: Account) -> None:
    first, first_text = ApiKey.objects.issue(account, "live")
    second, second_text = ApiKey.objects.issue(account, "live")
    run_action(admin_client, "revoke", first)
    assert ApiKey.authenticate(first_text) is None
    assert ApiKey.authenticate(second_text) == second
    assert LogEntry.objects.get().object_id == str(first.pk)


def test_rolling_shows_a_new_key_and_ends_the_old_one_a_day_later(
    admin_client: Client, account: Account, clock: Clock
) -> None:
    old, old_text = ApiKey.objects.issue(account, "live", "web map")
    (new_text,) = shown_keys(run_action(admin_client, "roll", old))
    new = ApiKey.authenticate(new_text)
    assert new is not None
    assert new != old
    assert (new.account, new.mode, new.label) == (account, "live", "web map")
    assert ApiKey.authenticate(old_text) == old
    clock.move(hours=24)
    assert ApiKey.authenticate(old_text) is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_key_cannot_be_deleted(admin_client: Client, account: Account, method: str) -> None:
    key, text = ApiKey.objects.issue(account, "live")
    page = getattr(admin_client, method)(f"{KEYS}{key.pk}/delete/", {"post": "yes"})
    assert page.status_code == 403
    run_action(admin_client, "delete_selected", key)
    assert ApiKey.authenticate(text) == key


def test_account_with_keys_cannot_be_deleted(admin_client: Client, account: Account) -> None:
    ApiKey.objects.issue(account, "live")
    admin_client.post(f"/admin/accounts/account/{account.pk}/delete/", {"post": "yes"})
    assert Account.objects.filter(pk=account.pk).exists()


def test_secret_of_webhooks_cannot_be_changed_by_hand(admin_client: Client, account: Account) -> None:
    form = {"name": account.name, "plan": "pro", "webhook_secret": "whsec_mine", "sealed_webhook_secret": "mine"}
    admin_client.post(f"/admin/accounts/account/{account.pk}/change/", form)
    secret = account.webhook_secret
    account.refresh_from_db()
    assert (account.plan, account.webhook_secret) == ("pro", secret)


def test_keys_are_shown_only_after_signing_in(client: Client, account: Account) -> None:
    answer = client.get(KEYS)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_secret_is_shown_once_with_a_button_that_copies_it(admin_client: Client, account: Account) -> None:
    form = {"action": "roll_webhook_secret", "_selected_action": account.pk}
    answer = admin_client.post("/admin/accounts/account/", form)
    account.refresh_from_db()
    assert account.webhook_secret in html.unescape(answer.content.decode())
    assert 'data-copy="#secret-1"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    page = admin_client.get(f"/admin/accounts/account/{account.pk}/change/")
    assert account.webhook_secret not in html.unescape(page.content.decode())


def test_usage_of_thirty_days_is_drawn(admin_client: Client, account: Account) -> None:
    key, _ = ApiKey.objects.issue(account, "live")
    today = datetime.now(UTC).date()
    for back in (0, 29, 30):
        KeyUsage.objects.create(key=key, day=today - timedelta(days=back), requests=10, errors=4)
    for path in (f"/admin/accounts/account/{account.pk}/change/", f"{KEYS}{key.pk}/change/"):
        page = admin_client.get(path)
        assert [part.value for box in page.context["usage"].boxes for part in [box.part]] == [6, 4, 6, 4]
        assert "<svg" in page.content.decode()


def test_limits_of_the_plan_are_shown(admin_client: Client, account: Account) -> None:
    page = admin_client.get(f"/admin/accounts/account/{account.pk}/change/").content.decode()
    assert str(account.limits.requests_per_day) in page
