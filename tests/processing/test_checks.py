"""Settings by which jobs would get lost are refused by every command."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

BROKER = "redis://127.0.0.1:6379/0"


def test_messages_that_come_back_while_their_task_runs_are_refused(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = BROKER
    settings.CELERY_TASK_TIME_LIMIT = 930
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
    with pytest.raises(SystemCheckError, match=r"astra\.E001"):
        call_command("check")


@pytest.mark.parametrize("url", ["memory://", "filesystem://"])
def test_broker_that_is_no_server_is_refused(settings: Settings, url: str) -> None:
    settings.CELERY_BROKER_URL, settings.SILENCED_SYSTEM_CHECKS = url, []
    with pytest.raises(SystemCheckError, match=r"astra\.E002"):
        call_command("check")


@pytest.mark.parametrize("host", ["10.0.0.5", "broker.example"])
def test_broker_of_another_host_is_refused_beside_sqlite(settings: Settings, host: str) -> None:
    settings.CELERY_BROKER_URL = f"redis://{host}:6379/0"
    settings.EMBEDDED = True
    with pytest.raises(SystemCheckError, match=r"astra\.E003"):
        call_command("check")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_broker_of_this_host_is_accepted(settings: Settings, host: str) -> None:
    settings.CELERY_BROKER_URL = f"redis://{host}:6379/0"
    call_command("check")
