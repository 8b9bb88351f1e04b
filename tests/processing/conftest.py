from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from pytest_django import Settings

from accounts.models import Account, ApiKey
from astra.broker import broker
from astra.outages import Breaker
from tests.processing.clock import Clock
from tests.processing.jobs import take_messages
from tests.s3 import s3_server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key(account: Account, test_key: str) -> ApiKey:
    """The test key of `account`, whose text `api` sends."""
    return account.api_keys.get(mode="test")


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """The folder of an empty storage for results. Unfinished files go to `work` beside it.

    On the production set the storage is an empty bucket, and the folder stays empty.
    """
    settings.WORK_DIR = tmp_path / "work"
    if settings.BUCKET:
        default_storage.bucket.objects.all().delete()  # type: ignore[attr-defined]  # S3Storage has one
    else:
        settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real S3 server with a bucket for results: that of the settings, if they name one."""
    if django_settings.BUCKET:
        yield django_settings.S3_ENDPOINT
    else:
        with s3_server(tmp_path_factory.mktemp("s3")) as url:
            yield url


@pytest.fixture(autouse=True)
def no_messages(closed_breaker: Breaker) -> None:
    """No test finds the messages of another."""
    take_messages()


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What was worked out for the rows of another test, such as places in the queue."""
    cache.clear()


@pytest.fixture(autouse=True)
def closed_breaker() -> Breaker:
    """The breaker of this process, as if no message had ever failed."""
    broker.note(success=True)
    return broker


@pytest.fixture
def sandbox_of_jobs(settings: Settings, sandbox: Path) -> None:
    """Jobs read the sandbox that is written once for all tests."""
    settings.SANDBOX_DIR = sandbox


def use_storage(settings: Settings, backend: str, location: Path) -> dict[str, object]:
    """The setting STORAGES with a folder for the results."""
    default = {"BACKEND": backend, "OPTIONS": {"location": location, "base_url": "/files/"}}
    return {**settings.STORAGES, "default": default}


def troubled(settings: Settings, name: str) -> dict[str, object]:
    """The setting STORAGES with the same files, kept by a class of `tests.processing.storages`."""
    default = {**settings.STORAGES["default"], "BACKEND": f"tests.processing.storages.{name}"}
    return {**settings.STORAGES, "default": default}
