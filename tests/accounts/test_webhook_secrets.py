"""Secrets of webhooks: sealed in the database, rolled, and sealed anew after a change of the pepper."""

import io
import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import Settings

from accounts.models import Account
from accounts.sealing import CannotUnseal, unseal
from tests.accounts.clock import Clock

ACCOUNTS = "/admin/accounts/account/"
SECRET = re.compile(r"whsec_[0-9A-Za-z+/]{43}=")
NEW_PEPPER = "another pepper"


def stored(account: Account) -> str:
    """All columns of the account's row."""
    return str(Account.objects.filter(pk=account.pk).values().get())


def reseal(pepper_before: str, monkeypatch: pytest.MonkeyPatch) -> str:
    out = StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{pepper_before}\n"))
    call_command("resealsecrets", stdout=out)
    return out.getvalue()


def test_every_account_has_a_secret_of_its_own_which_no_column_shows(account: Account) -> None:
    other = Account.objects.create(name="Other")
    assert SECRET.fullmatch(account.webhook_secret)
    assert account.webhook_secret != other.webhook_secret
    assert account.webhook_secret not in stored(account)
    assert "whsec_" not in stored(account)


def test_same_secret_is_sealed_differently_each_time(account: Account) -> None:
    account.roll_webhook_secret()
    before = account.sealed_webhook_secret_before
    account.roll_webhook_secret()
    assert len({before, account.sealed_webhook_secret_before, account.sealed_webhook_secret}) == 3


def test_another_pepper_opens_no_secret(account: Account, settings: Settings) -> None:
    settings.KEY_PEPPER = NEW_PEPPER
    with pytest.raises(CannotUnseal, match="ASTRA_KEY_PEPPER"):
        account.webhook_secrets()


# --- Rolling --------------------------------------------------------------------------------------------------------


def test_rolled_secret_signs_for_a_day_more(account: Account, clock: Clock) -> None:
    before = account.webhook_secret
    new = account.roll_webhook_secret()
    assert account.webhook_secrets() == [new, before]
    clock.move(hours=23, minutes=59, seconds=59)
    assert account.webhook_secrets() == [new, before]
    clock.move(seconds=1)
    assert account.webhook_secrets() == [new]


def test_second_roll_ends_the_first_secret_at_once(account: Account) -> None:
    first = account.webhook_secret
    second = account.roll_webhook_secret()
    third = account.roll_webhook_secret()
    assert account.webhook_secrets() == [third, second]
    assert first not in account.webhook_secrets()


def test_staff_see_a_rolled_secret_once_and_no_other(admin_client: Client, account: Account) -> None:
    for address in (ACCOUNTS, f"{ACCOUNTS}{account.pk}/change/"):
        assert SECRET.findall(admin_client.get(address).content.decode()) == []
    form = {"action": "roll_webhook_secret", "_selected_action": [str(account.pk)]}
    answer = admin_client.post(ACCOUNTS, form)
    account.refresh_from_db()
    assert SECRET.findall(answer.getvalue().decode()) == [account.webhook_secret]
    assert "no-store" in answer["Cache-Control"]
    assert account.webhook_secret not in str(answer.cookies)
    for address in (ACCOUNTS, f"{ACCOUNTS}{account.pk}/change/", f"{ACCOUNTS}{account.pk}/history/"):
        assert SECRET.findall(admin_client.get(address).content.decode()) == []
    rows = [str(row) for model in (LogEntry, Session) for row in model.objects.values_list()]
    assert account.webhook_secret not in "".join(rows)
    assert LogEntry.objects.get().object_id == str(account.pk)


# --- A new pepper ---------------------------------------------------------------------------------------------------


def test_command_seals_under_the_new_pepper(
    account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.roll_webhook_secret()
    secrets, before = account.webhook_secrets(), settings.KEY_PEPPER
    settings.KEY_PEPPER = NEW_PEPPER
    for _ in range(2):  # a second run changes nothing
        reseal(before, monkeypatch)
        account.refresh_from_db()
        assert account.webhook_secrets() == secrets
    settings.KEY_PEPPER = before
    with pytest.raises(CannotUnseal):
        account.webhook_secrets()


def test_command_names_accounts_that_neither_pepper_opens(
    account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEY_PEPPER = NEW_PEPPER
    known = Account.objects.create(name="Known")
    with pytest.raises(CommandError, match=account.name):
        reseal("a wrong pepper", monkeypatch)
    known.refresh_from_db()
    assert known.webhook_secret
    new = account.roll_webhook_secret()
    assert account.webhook_secrets() == [new]


# --- An upgrade -----------------------------------------------------------------------------------------------------


def migrate(name: str) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", name)])
    return executor.loader.project_state([("accounts", name)]).apps.get_model("accounts", "Account").objects


@pytest.mark.django_db(transaction=True)
def test_upgrade_seals_secrets_and_a_way_back_opens_them() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    try:
        secret = migrate("0001_initial").create(name="Old").webhook_secret
        assert SECRET.fullmatch(secret)
        sealed = migrate("0002_sealed_webhook_secrets").get(name="Old").sealed_webhook_secret
        assert unseal(sealed) == secret
        assert "whsec_" not in sealed
        assert migrate("0001_initial").get(name="Old").webhook_secret == secret
    finally:
        MigrationExecutor(connection).migrate(newest)
