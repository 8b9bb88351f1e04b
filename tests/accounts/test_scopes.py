"""Keys that are restricted to reading or to processing, and keys with an end."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import Account, ApiKey, KeyEnded
from tests.accounts.clock import Clock
from tests.answers import assert_error, client_with
from tests.processing.jobs import EXAMPLE, URL, queued

READS = ("/api/v1/account", "/api/v1/operations", URL, "/api/v1/scenes/sentinel-2:S2B_MSIL2A_20250115T184929")


@pytest.fixture
def client_of(account: Account) -> Callable[[str], APIClient]:
    """A client whose key has this scope."""
    return lambda scope: client_with(ApiKey.objects.issue(account, "test", scope=scope)[1])


def create_key(*arguments: str) -> ApiKey:
    out = StringIO()
    call_command("createapikey", "--account", "Agronomics", *arguments, stdout=out)
    key = ApiKey.authenticate(out.getvalue().splitlines()[-1])
    assert key is not None
    return key


def changes(job_id: str) -> list[tuple[str, str, Any]]:
    """Requests that change something: method, address, body."""
    job = f"{URL}/{job_id}"
    return [
        ("post", URL, EXAMPLE),
        ("delete", job, None),
        ("delete", f"{job}/result", None),
        ("post", "/api/v1/webhooks/test", {"url": "https://example.com/"}),
    ]


def test_key_for_reading_changes_nothing(client_of: Any, account: Account) -> None:
    job, reader = queued(ApiKey.objects.issue(account, "test")[0]), client_of("read")
    for method, address, body in changes(job.pk):
        error = assert_error(getattr(reader, method)(address, body, format="json"), 403, "FORBIDDEN")
        assert "'process'" in error["message"]
    job.refresh_from_db()
    assert job.status == "queued"
    assert reader.get(f"{URL}/{job.pk}").status_code == 200


@pytest.mark.parametrize("address", READS)
def test_key_for_processing_reads_nothing(client_of: Any, address: str) -> None:
    error = assert_error(client_of("process").get(address), 403, "FORBIDDEN")
    assert "'read'" in error["message"]


def test_key_for_processing_submits_and_cancels(client_of: Any) -> None:
    processor = client_of("process")
    job_id = processor.post(URL, EXAMPLE, format="json").json()["job_id"]
    assert processor.delete(f"{URL}/{job_id}").status_code == 200


def test_key_without_restriction_does_both(client_of: Any) -> None:
    whole = client_of("all")
    job_id = whole.post(URL, EXAMPLE, format="json").json()["job_id"]
    assert whole.get(f"{URL}/{job_id}").status_code == 200


def test_replacement_of_a_key_may_no_more_than_it(account: Account, clock: Clock) -> None:
    end = clock.now + timedelta(days=30)
    key, _ = ApiKey.objects.issue(account, "test", scope="read", expires_at=end)
    new, _ = key.roll()
    assert (new.scope, new.expires_at) == ("read", end)


# --- Ends ------------------------------------------------------------------------------------------------------------


def test_key_ends_when_its_time_is_over(account: Account, clock: Clock) -> None:
    key, text = ApiKey.objects.issue(account, "test", expires_at=clock.now + timedelta(days=1))
    clock.move(hours=23, minutes=59, seconds=59)
    assert ApiKey.authenticate(text) == key
    clock.move(seconds=1)
    assert ApiKey.authenticate(text) is None
    with pytest.raises(KeyEnded):
        key.roll()


def test_roll_does_not_extend_a_key_that_ends_soon(account: Account, clock: Clock) -> None:
    key, text = ApiKey.objects.issue(account, "test", expires_at=clock.now + timedelta(hours=2))
    key.roll()
    clock.move(hours=2)
    assert ApiKey.authenticate(text) is None


def test_command_makes_restricted_keys_with_an_end(db: None, clock: Clock) -> None:
    key = create_key("--scope", "read", "--expires-days", "7")
    assert (key.scope, key.expires_at) == ("read", clock.now + timedelta(days=7))
    assert (create_key().scope, create_key().expires_at) == ("all", None)


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "999999999"])
def test_command_refuses_an_end_that_is_none(db: None, days: str) -> None:
    with pytest.raises(CommandError, match="--expires-days"):
        create_key("--expires-days", days)
    assert not ApiKey.objects.exists()
