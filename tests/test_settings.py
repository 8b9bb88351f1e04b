"""Settings from the environment: nonsense stops the process with a sentence, and production has no weak defaults."""

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.environments import PRODUCTION, SECRET, read, run


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
    assert read(tmp_path, {"SECRET_KEY": SECRET})["KEY_PEPPER"] == SECRET
    pepper = "sixteen-characters"
    assert read(tmp_path, {"SECRET_KEY": SECRET, "ASTRA_KEY_PEPPER": pepper})["KEY_PEPPER"] == pepper


# --- Catalogues -----------------------------------------------------------------------------------------------------


def test_regions_of_buckets_are_read_one_by_one(tmp_path: Path) -> None:
    variables = {"ASTRA_SCENES_S3_REGIONS": "usgs-landsat=us-west-2, sentinel-s2-l2a=eu-central-1"}
    assert read(tmp_path, variables)["SCENE_S3"]["regions"] == {
        "usgs-landsat": "us-west-2",
        "sentinel-s2-l2a": "eu-central-1",
    }
