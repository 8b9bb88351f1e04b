"""API keys: their text, what is stored of them, and when they work."""

import re
import string
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.keys import Mode, is_well_formed, new_key
from accounts.models import Account, ApiKey, KeyEnded
from tests.accounts.clock import Clock

BASE_62 = string.digits + string.ascii_letters


def create_key(*arguments: str) -> str:
    """What `manage.py createapikey` prints."""
    out = StringIO()
    call_command("createapikey", *arguments, stdout=out)
    return out.getvalue()


# --- The text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["live", "test"])
def test_key_is_50_characters_of_the_documented_form(mode: Mode) -> None:
    key = new_key(mode)
    assert re.fullmatch(rf"astra_sk_{mode}_[0-9A-Za-z]{{36}}", key)
    assert len(key) == 50
    assert is_well_formed(key)


def test_no_two_keys_are_alike() -> None:
    assert len({new_key("live") for _ in range(1000)}) == 1000


@given(position=st.integers(0, 49), other=st.sampled_from(BASE_62 + "_- \n\0é"))
def test_any_changed_character_is_noticed(position: int, other: str) -> None:
    key = new_key("live")
    changed = key[:position] + other + key[position + 1 :]
    assert is_well_formed(changed) is (changed == key)


@given(position=st.integers(14, 48))
def test_two_swapped_characters_are_noticed(position: int) -> None:
    key = new_key("test")
    swapped = key[:position] + key[position + 1] + key[position] + key[position + 2 :]
    assert is_well_formed(swapped) is (swapped == key)


@given(st.text())
def test_check_raises_for_no_text(text: str) -> None:
    assert not is_well_formed(text)


# --- What is stored -------------------------------------------------------------------------------------------------


def test_only_a_digest_of_the_key_is_stored(account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "live", "the field office")
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    secret = text.removeprefix("astra_sk_live_")
    assert not any(secret in str(value) or secret[:30] in str(value) for value in stored.values())
    assert stored["last_four"] == text[-4:]
    assert stored["label"] == "the field office"
    assert re.fullmatch("[0-9a-f]{64}", stored["digest"])


def test_digest_depends_on_the_pepper(account: Account, settings: Settings) -> None:
    _, text = ApiKey.objects.issue(account, "live")
    settings.KEY_PEPPER = "another pepper"
    assert ApiKey.authenticate(text) is None


def test_name_of_a_key_shows_only_its_last_four_characters(account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "test")
    assert str(key) == f"astra_sk_test_...{text[-4:]}"


def test_copy_of_the_database_lets_nobody_in(account: Account, test_key: str) -> None:
    rows = [row for model in (Account, ApiKey) for row in model.objects.values_list()]
    known = {str(value) for row in rows for value in row}
    for text in known | {f"astra_sk_test_{value}" for value in known}:
        assert ApiKey.authenticate(text) is None
    assert ApiKey.authenticate(test_key)


# --- Which keys work ------------------------------------------------------------------------------------------------


def test_working_key_returns_its_account(account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "live")
    found = ApiKey.authenticate(text)
    assert found == key
    assert found is not None
    assert found.account == account
    assert not found.is_test


def test_unknown_and_malformed_keys_do_not_work(account: Account) -> None:
    _, text = ApiKey.objects.issue(account, "live")
    for wrong in (new_key("live"), text[:-1], text + "0", text.swapcase(), "", "astra_sk_live_", " " + text):
        assert ApiKey.authenticate(wrong) is None


def test_malformed_key_is_refused_without_a_query(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert ApiKey.authenticate("astra_sk_live_" + "0" * 36) is None


def test_revoked_key_stops_working_at_once(account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "live")
    assert key.revoke()
    assert ApiKey.authenticate(text) is None
    assert not key.revoke()


def test_revoking_one_key_leaves_the_others(account: Account) -> None:
    first, _ = ApiKey.objects.issue(account, "live")
    second, text = ApiKey.objects.issue(account, "live")
    first.revoke()
    assert ApiKey.authenticate(text) == second


def test_every_refused_key_gets_the_same_answer(account: Account) -> None:
    revoked, revoked_text = ApiKey.objects.issue(account, "live")
    revoked.revoke()
    answers = [
        APIClient().get("/api/v1/process", headers={"authorization": header})
        for header in (
            f"Bearer {revoked_text}",
            f"Bearer {new_key('live')}",
            "Bearer nonsense",
            "Bearer",
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert {answer["WWW-Authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.parametrize("header", ["Basic YTpi", "Token x", f"astra_sk_live_{0:036}"])
def test_header_of_another_form_is_told_the_form(db: None, header: str) -> None:
    answer = APIClient().get("/api/v1/process", headers={"authorization": header})
    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.json()["error"]["message"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_may_be_written_in_any_case(test_key: str, scheme: str) -> None:
    answer = APIClient().get("/api/v1/process", headers={"authorization": f"{scheme} {test_key}"})
    assert answer.status_code == 200


# --- Rolling --------------------------------------------------------------------------------------------------------


def test_rolled_key_works_24_hours_more_and_not_longer(account: Account, clock: Clock) -> None:
    key, old = ApiKey.objects.issue(account, "test", "satellite desk")
    new_one, new = key.roll()
    assert (new_one.account, new_one.mode, new_one.label) == (account, "test", "satellite desk")
    clock.move(hours=23, minutes=59, seconds=59)
    assert ApiKey.authenticate(old) == key
    clock.move(seconds=1)
    assert ApiKey.authenticate(old) is None
    assert ApiKey.authenticate(new) == new_one


def test_rolling_a_key_again_does_not_extend_it(account: Account, clock: Clock) -> None:
    key, old = ApiKey.objects.issue(account, "live")
    key.roll()
    clock.move(hours=23)
    with pytest.raises(KeyEnded):
        key.roll()
    clock.move(hours=2)
    assert ApiKey.authenticate(old) is None


def test_revoked_key_cannot_be_rolled(account: Account) -> None:
    key, text = ApiKey.objects.issue(account, "live")
    key.revoke()
    with pytest.raises(KeyEnded):
        key.roll()
    assert ApiKey.authenticate(text) is None


# --- Last use -------------------------------------------------------------------------------------------------------


def test_last_use_is_written_but_not_at_every_request(
    account: Account, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, text = ApiKey.objects.issue(account, "live")
    first_use = clock.now
    ApiKey.authenticate(text)
    clock.move(seconds=1)
    with django_assert_num_queries(1):  # it is looked up, nothing is written
        ApiKey.authenticate(text)
    key.refresh_from_db()
    assert key.last_used_at == first_use
    clock.move(hours=1)
    ApiKey.authenticate(text)
    key.refresh_from_db()
    assert key.last_used_at == clock.now


# --- The command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "mode"), [([], "live"), (["--test"], "test")])
def test_command_prints_a_working_key_as_its_last_line(db: None, options: list[str], mode: str) -> None:
    text = create_key("--account", "Agronomics", *options).splitlines()[-1]
    key = ApiKey.authenticate(text)
    assert key is not None
    assert (key.account.name, key.mode) == ("Agronomics", mode)


def test_command_takes_label_and_plan(db: None) -> None:
    create_key("--account", "Agronomics", "--label", "night jobs", "--plan", "scale")
    key = ApiKey.objects.get()
    assert (key.label, key.account.plan) == ("night jobs", "scale")


def test_second_key_belongs_to_the_same_account(db: None) -> None:
    first = create_key("--account", "Agronomics", "--plan", "pro").splitlines()[-1]
    second = create_key("--account", "Agronomics").splitlines()[-1]
    assert first != second
    account = Account.objects.get()
    assert account.plan == "pro"
    assert account.api_keys.count() == 2


def test_command_refuses_an_unknown_plan(db: None) -> None:
    with pytest.raises(CommandError, match="--plan"):
        create_key("--account", "Agronomics", "--plan", "platinum")
    assert not Account.objects.exists()
