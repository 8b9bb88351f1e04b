"""/readyz: 503 only if no other process could serve either; what else is wrong is named."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models.signs import Sign
from tests.answers import assert_error
from tests.processing.conftest import use_storage
from tests.processing.jobs import AWAY, claimed, completed, queued

from .ages import aged

ROOT = Path(__file__).resolve().parents[3]
UNMIGRATED = """
import django; django.setup()
from django.test import Client
answer = Client().get("/readyz", headers={"Host": "localhost"})
print(answer.status_code, answer.json()["error"]["details"]["migrations"])
"""


def body(client: Client) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return dict(answer.json())


def test_service_in_which_all_is_well_is_ok(client: Client, all_well: None) -> None:
    found = body(client)
    assert found.pop("last_sweep_seconds") < 30
    assert found == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "storage": "ok",
        "oldest_due_job_seconds": None,
        "workers": {"rasters": 1},
        "degraded": [],
    }


# --- Not ready ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_database_that_is_away_answers_503_with_retry_after(client: Client, db: None, kind: type[Exception]) -> None:
    def refuse(execute: Callable[..., Any], *arguments: Any) -> Any:
        raise kind("connection to db.internal refused")

    with connection.execute_wrapper(refuse):
        answer = client.get("/readyz")
    assert assert_error(answer, 503, "SERVICE_UNAVAILABLE")["details"]["database"] == "away"
    assert int(answer["Retry-After"]) >= 1
    assert b"db.internal" not in answer.content


def test_missing_migrations_answer_503(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**inherited, "ASTRA_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "astra.settings"}
    done = subprocess.run(
        [sys.executable, "-c", UNMIGRATED], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["503", "missing"], done.stderr


# --- Degraded -------------------------------------------------------------------------------------------------------


def test_broker_that_does_not_answer_is_known_soon(client: Client, all_well: None, silent_broker: None) -> None:
    begun = time.monotonic()
    found = body(client)
    assert (found["broker"], found["degraded"], found["status"]) == ("away", ["broker"], "degraded")
    assert time.monotonic() - begun < 4


def test_broker_that_refuses_is_away(client: Client, all_well: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert body(client)["degraded"] == ["broker"]


def test_broker_with_another_password_is_away(client: Client, all_well: None, settings: Settings) -> None:
    settings.REDIS_URL = settings.REDIS_URL.replace("://:", "://:x")
    assert body(client)["degraded"] == ["broker"]


def test_folder_that_cannot_be_written_is_named(
    client: Client, all_well: None, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    backend = "processing.local_storage.SignedLocalStorage"
    settings.STORAGES = use_storage(settings, backend, tmp_path / "file" / "results")
    assert body(client)["degraded"] == ["storage"]


def test_s3_is_not_asked(client: Client, all_well: None, settings: Settings) -> None:
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"endpoint_url": "http://127.0.0.1:1"}}
    settings.STORAGES = {**settings.STORAGES, "default": s3}
    found = body(client)
    assert (found["storage"], found["degraded"]) == ("not checked", [])


@pytest.mark.parametrize(("seconds", "degraded"), [(50, []), (70, ["sweep"])])
def test_sweep_is_late_after_a_minute(client: Client, all_well: None, seconds: int, degraded: list[str]) -> None:
    aged(Sign.objects.get(name="sweep"), "at", seconds=seconds)
    found = body(client)
    assert found["degraded"] == degraded
    assert seconds <= found["last_sweep_seconds"] < seconds + 9


def test_service_that_has_never_swept_is_degraded(client: Client, all_well: None) -> None:
    Sign.objects.filter(name="sweep").delete()
    found = body(client)
    assert (found["last_sweep_seconds"], found["degraded"]) == (None, ["sweep"])


def test_worker_counts_for_a_minute_after_its_last_sign(client: Client, all_well: None) -> None:
    Sign.objects.give("worker:rasters@two")
    Sign.objects.give("worker:webhooks@two")
    assert body(client)["workers"] == {"rasters": 2, "webhooks": 1}
    for sign in Sign.objects.filter(name__startswith="worker:"):
        aged(sign, "at", seconds=61)
    found = body(client)
    assert (found["workers"], found["degraded"]) == ({}, ["workers"])


@pytest.mark.parametrize(("seconds", "degraded"), [(290, []), (310, ["queue"])])
def test_queue_is_late_after_five_minutes(
    client: Client, all_well: None, key: ApiKey, seconds: int, degraded: list[str]
) -> None:
    queued(key)
    aged(queued(key), "due_at", seconds=seconds)
    found = body(client)
    assert found["degraded"] == degraded
    assert seconds <= found["oldest_due_job_seconds"] < seconds + 9


def test_jobs_that_no_worker_may_claim_do_not_wait(client: Client, all_well: None, key: ApiKey) -> None:
    for job in (claimed(key), completed(key)):
        aged(job, "due_at", hours=1)
    later = claimed(key)
    later.release(AWAY, timedelta(minutes=5))
    assert body(client)["oldest_due_job_seconds"] is None
