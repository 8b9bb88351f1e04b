"""Settings from the environment: nonsense stops the process with a sentence, and production has no weak defaults."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECRET = "correct-horse-battery-staple-" * 2
PRODUCTION = {
    "DATABASE_URL": "postgres://astra:pass%40word@db.example:5433/jobs",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "astra.example, www.astra.example",
}
OURS = ("ASTRA_", "AWS_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DJANGO_")


def run(data: Path, variables: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = {**inherited, "ASTRA_DATA_DIR": str(data), **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def read(data: Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All settings as text or JSON."""
    program = (
        "import json, astra.settings as s;"
        "print(json.dumps({n: getattr(s, n) for n in dir(s) if n.isupper()}, default=str))"
    )
    done = run(data, variables or {}, "-c", program)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def refusal(data: Path, variables: Mapping[str, str]) -> str:
    """The sentence that `manage.py check` stops with."""
    done = run(data, variables, "manage.py", "check")
    assert done.returncode != 0, f"accepted: {done.stdout}{done.stderr}"
    kind, _, sentence = done.stderr.strip().splitlines()[-1].partition(": ")
    assert kind == "django.core.exceptions.ImproperlyConfigured", done.stderr
    assert "During handling of" not in done.stderr
    return sentence


# --- Nonsense -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("ASTRA_PUBLIC_URL", "astra.example"),
        ("ASTRA_PUBLIC_URL", "https://["),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://user@host/name"),
        ("REDIS_URL", "nonsense"),
        ("AWS_S3_ENDPOINT_URL", "minio:9000"),
        ("ASTRA_RESULT_TTL", "a day"),
        ("ASTRA_RESULT_TTL", "0"),
        ("ASTRA_RESULT_TTL", "1.5"),
        ("ASTRA_RESULT_TTL", "nan"),
        ("ASTRA_RESULT_TTL", "1e99"),
        ("ASTRA_SENTINEL2_STAC", "ftp://stac.example"),
        ("ASTRA_LANDSAT_STAC", "https://"),
        ("ASTRA_PLANETARY_COMPUTER_STAC", "/v1"),
        ("ASTRA_PRIVATE_HOSTS", "http://127.0.0.1:9000/"),
        ("ASTRA_SCENES_S3_REGIONS", "us-west-2"),
        ("ASTRA_SCENES_S3_REGIONS", "usgs-landsat=us-west-2,sentinel-cogs"),
        ("ASTRA_SCENES_S3_REGIONS", "usgs-landsat=us west"),
        ("ASTRA_MAX_PIXELS", "-1"),
        ("ASTRA_MAX_PIXELS", "many"),
        ("ASTRA_JOB_TIME_LIMIT", "soon"),
        ("ASTRA_JOB_TIME_LIMIT", "0"),
        ("ASTRA_JOB_ATTEMPTS", "0"),
        ("ASTRA_RETRY_SECONDS", "inf"),
        ("ASTRA_LEASE_SECONDS", "0"),
        ("ASTRA_STOP_GRACE", "-1"),
        ("ASTRA_SWEEP_SECONDS", "-5"),
        ("ASTRA_EXPIRY_SWEEP_SECONDS", "x"),
        ("ASTRA_WEBHOOK_DELAYS", "soon"),
        ("ASTRA_WEBHOOK_DELAYS", "5,,60"),
        ("ASTRA_WEBHOOK_DELAYS", "5,-60"),
        ("ASTRA_WEBHOOK_DELAYS", "nan"),
        ("ASTRA_COMPRESSION", "lzw"),
        ("ASTRA_LOG_LEVEL", "loud"),
        ("ASTRA_LOG_FORMAT", "xml"),
        ("ASTRA_TRUSTED_PROXIES", "-1"),
        ("ASTRA_TRUSTED_PROXIES", "nginx"),
        ("ASTRA_DATA_DIR", "/dev/null/data"),
    ],
)
def test_nonsense_stops_the_process_with_a_sentence_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    variables = {**(PRODUCTION if name == "DATABASE_URL" else {}), name: value}
    assert name in refusal(tmp_path, variables)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize("debug", ["0", "1"])
def test_production_has_no_default_secret_and_hosts(tmp_path: Path, name: str, value: str, debug: str) -> None:
    assert name in refusal(tmp_path, {**PRODUCTION, "DEBUG": debug, name: value})


@pytest.mark.parametrize(("value", "debug"), [(None, False), ("", False), ("0", False), ("1", True)])
@pytest.mark.parametrize("others", [{}, PRODUCTION], ids=["embedded", "production"])
def test_debug_is_off_unless_it_is_set(
    tmp_path: Path, others: Mapping[str, str], value: str | None, debug: bool
) -> None:
    variables = {**others} if value is None else {**others, "DEBUG": value}
    assert read(tmp_path, variables)["DEBUG"] is debug


@pytest.mark.parametrize(
    ("variables", "form"),
    [({}, "lines"), (PRODUCTION, "json"), ({"ASTRA_LOG_FORMAT": "JSON"}, "json"), ({"ASTRA_LOG_FORMAT": ""}, "lines")],
)
def test_logs_are_for_people_here_and_for_machines_in_production(
    tmp_path: Path, variables: Mapping[str, str], form: str
) -> None:
    assert read(tmp_path, variables)["LOG_FORMAT"] == form


def test_short_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, {**PRODUCTION, "SECRET_KEY": "hunter2"})
    assert "SECRET_KEY" in sentence
    assert "hunter2" not in sentence


# --- The embedded set -----------------------------------------------------------------------------------------------


def test_everything_is_kept_below_the_data_folder_by_default(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there yet"
    settings = read(data)
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert set(settings["ALLOWED_HOSTS"]) == {"127.0.0.1", "localhost", "[::1]"}
    for path in (
        settings["DATABASES"]["default"]["NAME"],
        settings["STORAGES"]["default"]["OPTIONS"]["location"],
        settings["WORK_DIR"],
        settings["SANDBOX_DIR"],
    ):
        assert Path(path).is_relative_to(data)
    assert settings["RESULT_TTL"] == 86_400
    assert settings["JOB_TIME_LIMIT"] == 900
    assert settings["MAX_PIXELS"] == 1.5e9
    assert settings["PUBLIC_URL"] == ""


@pytest.mark.parametrize(("value", "compression"), [("", "deflate"), ("deflate", "deflate"), (" ZSTD ", "zstd")])
def test_results_are_compressed_by_deflate_by_default(tmp_path: Path, value: str, compression: str) -> None:
    assert read(tmp_path, {"ASTRA_COMPRESSION": value})["COMPRESSION"] == compression


def test_secret_is_made_once_and_only_this_user_can_read_it(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    secret = tmp_path / "secret_key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert first["SECRET_KEY"] == second["SECRET_KEY"] == secret.read_text()
    assert len(first["SECRET_KEY"]) >= 50
    assert read(tmp_path / "another")["SECRET_KEY"] != first["SECRET_KEY"]


def test_check_passes_on_a_new_folder(tmp_path: Path) -> None:
    done = run(tmp_path, {}, "manage.py", "check")
    assert done.returncode == 0, done.stderr


# --- Production -----------------------------------------------------------------------------------------------------


def test_database_url_makes_it_production(tmp_path: Path) -> None:
    settings = read(tmp_path, PRODUCTION)
    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    parts = {name: database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    assert parts == {"USER": "astra", "PASSWORD": "pass@word", "HOST": "db.example", "PORT": 5433, "NAME": "jobs"}
    assert settings["ALLOWED_HOSTS"] == ["astra.example", "www.astra.example"]
    assert settings["SECRET_KEY"] == SECRET
    assert not (tmp_path / "secret_key").exists()


HTTPS = {**PRODUCTION, "ASTRA_PUBLIC_URL": "https://astra.example"}


def test_deployment_check_finds_nothing_in_production(tmp_path: Path) -> None:
    done = run(tmp_path, HTTPS, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_only_web_processes_pool_their_connections(tmp_path: Path) -> None:
    worker = read(tmp_path, PRODUCTION)["DATABASES"]["default"]
    web = read(tmp_path, {**PRODUCTION, "ASTRA_ROLE": "web"})["DATABASES"]["default"]
    assert "pool" not in worker["OPTIONS"]
    assert web["OPTIONS"]["pool"]["max_size"] >= 8
    assert web["CONN_MAX_AGE"] == 0, "Django refuses a pool otherwise"


def test_broker_on_another_host_is_refused_beside_sqlite(tmp_path: Path) -> None:
    done = run(tmp_path, {"REDIS_URL": "redis://broker.example:6379/0"}, "manage.py", "check")
    assert done.returncode != 0
    assert "astra.E003" in done.stderr
    assert run(tmp_path, {"REDIS_URL": "redis://127.0.0.1:6379/0"}, "manage.py", "check").returncode == 0


def test_broker_on_another_host_is_allowed_in_production(tmp_path: Path) -> None:
    done = run(tmp_path, {**PRODUCTION, "REDIS_URL": "rediss://:secret@broker.example:6379/0"}, "manage.py", "check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("query", "is_checked"), [("", True), ("?ssl_cert_reqs=none", False), ("?ssl_ca_certs=/ca.pem", True)]
)
def test_certificate_of_the_broker_is_checked_unless_its_url_says_otherwise(
    tmp_path: Path, query: str, is_checked: bool
) -> None:
    settings = read(tmp_path, {**PRODUCTION, "REDIS_URL": f"rediss://:secret@broker.example:6379/0{query}"})
    assert ("CELERY_BROKER_USE_SSL" in settings) is is_checked


def test_plain_http_is_sent_to_https_in_production_but_for_probes(tmp_path: Path) -> None:
    program = (
        "import django; django.setup(); from django.test import Client; client = Client(SERVER_NAME='astra.example');"
        "print([client.get(path).status_code for path in ('/api/v1/operations', '/healthz')])"
    )
    variables = {**HTTPS, "DATABASE_URL": "postgres://127.0.0.1:1/x", "DJANGO_SETTINGS_MODULE": "astra.settings"}
    assert run(tmp_path, variables, "-c", program).stdout.strip() == "[301, 200]"


def test_bucket_moves_results_to_s3(tmp_path: Path) -> None:
    variables = {"ASTRA_BUCKET": "results", "AWS_S3_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_REGION": "eu-west-1"}
    storage = read(tmp_path, variables)["STORAGES"]["default"]
    assert storage["BACKEND"] == "storages.backends.s3.S3Storage"
    assert storage["OPTIONS"]["bucket_name"] == "results"
    assert storage["OPTIONS"]["endpoint_url"] == "http://127.0.0.1:9000"
    assert storage["OPTIONS"]["region_name"] == "eu-west-1"


def test_https_address_makes_cookies_secure(tmp_path: Path) -> None:
    settings = read(tmp_path, {"ASTRA_PUBLIC_URL": "https://astra.example/"})
    assert settings["PUBLIC_URL"] == "https://astra.example"
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://astra.example"]


def test_pepper_of_keys_is_the_secret_by_default(tmp_path: Path) -> None:
    assert read(tmp_path, {"SECRET_KEY": "abc"})["KEY_PEPPER"] != read(tmp_path, {"SECRET_KEY": "abd"})["KEY_PEPPER"]
    assert read(tmp_path, {"SECRET_KEY": "abc", "ASTRA_KEY_PEPPER": "salt"})["KEY_PEPPER"] == "salt"


# --- Catalogues -----------------------------------------------------------------------------------------------------


def test_regions_of_buckets_are_read_one_by_one(tmp_path: Path) -> None:
    variables = {"ASTRA_SCENES_S3_REGIONS": "usgs-landsat=us-west-2, sentinel-s2-l2a=eu-central-1"}
    assert read(tmp_path, variables)["SCENE_S3"]["regions"] == {
        "usgs-landsat": "us-west-2",
        "sentinel-s2-l2a": "eu-central-1",
    }
