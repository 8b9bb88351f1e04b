"""Wrong keys and wrong logins are slowed, and stop nobody who has a right one."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.addresses import caller_address
from accounts.keys import is_well_formed, new_key
from tests.answers import assert_error, client_with

OPERATIONS = "/api/v1/operations"
LOGIN = "/admin/login/"
PASSWORD = "correct-horse-battery"
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"


class Gated(PBKDF2PasswordHasher):
    """Checks no password before `open` is set; `begun` says that it was asked to."""

    begun, open = threading.Event(), threading.Event()

    def verify(self, password: str, encoded: str) -> bool:
        self.begun.set()
        assert self.open.wait(30)
        return super().verify(password, encoded)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def gated(settings: Settings) -> Iterator[type[Gated]]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Gated"]
    yield Gated
    Gated.open.set()


def sign_in(name: str = "ada", password: str = "wrong", address: str = HERE) -> Any:
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": password})


def until_refused(send: Callable[[], Any], most: int = 100) -> Any:
    """The first answer with 429."""
    return next(answer for answer in (send() for _ in range(most)) if answer.status_code == 429)


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_many_wrong_keys_from_one_address_are_refused_without_being_read(db: None) -> None:
    guesser = APIClient(REMOTE_ADDR=HERE)
    answer = until_refused(lambda: guesser.get(OPERATIONS, headers={"authorization": f"Bearer {new_key('live')}"}))
    assert "wrong API keys" in assert_error(answer, 429, "RATE_LIMITED")["message"]
    assert int(answer["Retry-After"]) > 0


def test_valid_key_is_not_slowed_by_wrong_ones_of_its_address(test_key: str) -> None:
    wrong = client_with(new_key("live"))
    until_refused(lambda: wrong.get(OPERATIONS))
    assert client_with(test_key).get(OPERATIONS).status_code == 200


def test_other_addresses_are_not_slowed(db: None) -> None:
    header = {"authorization": "Bearer nonsense"}
    until_refused(lambda: APIClient(REMOTE_ADDR=HERE).get(OPERATIONS, headers=header))
    assert APIClient(REMOTE_ADDR=ELSEWHERE).get(OPERATIONS, headers=header).status_code == 401


def test_no_mutated_key_is_well_formed() -> None:
    """Twenty thousand here; `python -m bench.mutated_keys` tries a million."""
    from bench.mutated_keys import mutated

    key = new_key("live")
    assert not [text for text in mutated(key, 20_000) if is_well_formed(text)]


# --- The admin's login ------------------------------------------------------------------------------------------------


def test_right_password_signs_in(staff: User) -> None:
    assert sign_in(password=PASSWORD).status_code == 302


def test_wrong_passwords_of_a_name_are_slowed(staff: User) -> None:
    answer = until_refused(sign_in)
    assert int(answer["Retry-After"]) > 0
    assert sign_in(password=PASSWORD).status_code == 429  # or a guess would be told from the others
    assert sign_in(password=PASSWORD, address=ELSEWHERE).status_code == 302


def test_many_names_from_one_address_are_slowed(staff: User) -> None:
    names = iter(range(100))
    until_refused(lambda: sign_in(f"name-{next(names)}"))
    assert sign_in(address=ELSEWHERE).status_code == 200


def test_signing_in_forgets_the_wrong_tries_before(staff: User) -> None:
    for _ in range(3):
        for _ in range(3):
            assert sign_in().status_code == 200
        assert sign_in(password=PASSWORD).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_one_password_is_checked_at_a_time_and_the_api_answers_meanwhile(
    gated: type[Gated], staff: User, test_key: str
) -> None:
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(sign_in(password=PASSWORD)))
    thread.start()
    assert gated.begun.wait(30)
    others = [sign_in(f"name-{number}") for number in range(40)]
    assert {answer.status_code for answer in others} == {429}
    assert client_with(test_key).get(OPERATIONS).status_code == 200
    gated.open.set()
    thread.join(30)
    assert first[0].status_code == 302
    assert sign_in(password=PASSWORD).status_code == 302  # tries that nobody looked at were not counted


# --- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        (0, HERE, None, HERE),
        (0, HERE, ELSEWHERE, HERE),
        (1, "10.0.0.1", HERE, HERE),
        (1, "10.0.0.1", f"{ELSEWHERE}, {HERE}", HERE),
        (2, "10.0.0.1", f"{ELSEWHERE}, {HERE}, 10.0.0.2", HERE),
        (2, HERE, ELSEWHERE, HERE),
        (1, HERE, None, HERE),
        (0, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        (0, f"::ffff:{HERE}", None, HERE),
        (1, "10.0.0.1", "nonsense", "unknown"),
        (0, "", None, "unknown"),
    ],
)
def test_address_is_the_one_that_trusted_proxies_saw(
    rf: Any, settings: Settings, trusted: int, peer: str, forwarded: str | None, address: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert caller_address(rf.get("/", headers=headers, REMOTE_ADDR=peer)) == address
