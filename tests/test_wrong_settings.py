"""Wrong settings end every entry point with one sentence, and odd ones are named."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from astra.environment import names_read
from astra.starting import BY_MANAGE
from tests.environments import PRODUCTION, refusal, run

NONSENSE = [
    ("DEBUG", "maybe"),
    ("SECRET_KEY", "short"),
    ("ALLOWED_HOSTS", "https://astra.example"),
    ("ALLOWED_HOSTS", "astra.example:8000"),
    ("ALLOWED_HOSTS", "astra.example/path"),
    ("ALLOWED_HOSTS", "astra example"),
    ("ASTRA_PUBLIC_URL", "astra.example"),
    ("ASTRA_PUBLIC_URL", "https://astra.example/service"),
    ("ASTRA_PUBLIC_URL", "https://user:password@astra.example"),
    ("ASTRA_PUBLIC_URL", "https://astra.example?a=b"),
    ("ASTRA_PUBLIC_URL", "https://astra.example:99999"),
    ("ASTRA_PUBLIC_URL", "https://astra example"),
    ("ASTRA_HSTS_SECONDS", "forever"),
    ("ASTRA_HSTS_SECONDS", "-1"),
    ("ASTRA_KEY_PEPPER", "short"),
    ("ASTRA_METRICS_TOKEN", "two words"),
    ("ASTRA_CORS_ORIGINS", "app.example"),
    ("ASTRA_CORS_ORIGINS", "https://app.example/path"),
    ("ASTRA_CORS_ORIGINS", "https://*.example"),
    ("ASTRA_REFUSE_ROOT", "perhaps"),
    ("ASTRA_PUBLIC_URL", "https://["),
    ("DATABASE_URL", "nonsense"),
    ("DATABASE_URL", "mysql://user@host/name"),
    ("DATABASE_URL", "postgres://"),
    ("DATABASE_URL", "postgres://host"),
    ("DATABASE_URL", "postgres://host:99999/name"),
    ("DATABASE_URL", "postgres://host:port/name"),
    ("DATABASE_URL", "postgres://[host/name"),
    ("REDIS_URL", "nonsense"),
    ("REDIS_URL", "http://host:6379"),
    ("REDIS_URL", "redis://host:99999/0"),
    ("REDIS_URL", "redis://host:6379/first"),
    ("ASTRA_BUCKET", "My Bucket"),
    ("ASTRA_BUCKET", "s3://results"),
    ("ASTRA_BUCKET", "ab"),
    ("ASTRA_BUCKET", "under_score"),
    ("AWS_ACCESS_KEY_ID", "two words"),
    ("AWS_SECRET_ACCESS_KEY", "schlüssel"),
    ("AWS_REGION", "Frankfurt am Main"),
    ("AWS_S3_ENDPOINT_URL", "minio:9000"),
    ("ASTRA_BASEMAP_URL", "https://tiles.example/"),
    ("ASTRA_BASEMAP_URL", "//tiles.example/{z}/{x}/{y}.png"),
    ("ASTRA_RESULT_TTL", "a day"),
    ("ASTRA_RESULT_TTL", "0"),
    ("ASTRA_RESULT_TTL", "1.5"),
    ("ASTRA_RESULT_TTL", "nan"),
    ("ASTRA_RESULT_TTL", "1e99"),
    ("ASTRA_SENTINEL2_STAC", "ftp://stac.example"),
    ("ASTRA_LANDSAT_STAC", "https://"),
    ("ASTRA_PLANETARY_COMPUTER_STAC", "/v1"),
    ("ASTRA_PRIVATE_HOSTS", "http://127.0.0.1:9000/"),
    ("ASTRA_WEBHOOK_PRIVATE_HOSTS", "hooks.example/in"),
    ("ASTRA_PLANETARY_COMPUTER_TOKENS", "tokens"),
    ("ASTRA_SCENES_S3_ACCESS_KEY_ID", "two words"),
    ("ASTRA_SCENES_S3_SECRET_ACCESS_KEY", "two words"),
    ("ASTRA_SCENES_S3_REGION", "US West"),
    ("ASTRA_SCENES_S3_ENDPOINT", "ftp://s3.example"),
    ("ASTRA_SCENES_S3_ENDPOINT", "s3 example"),
    ("ASTRA_SCENES_S3_REQUESTER_PAYS", "they do"),
    ("ASTRA_SCENES_S3_REGIONS", "us-west-2"),
    ("ASTRA_SCENES_S3_REGIONS", "usgs-landsat=us-west-2,sentinel-cogs"),
    ("ASTRA_SCENES_S3_REGIONS", "usgs-landsat=us west"),
    ("ASTRA_MAX_PIXELS", "-1"),
    ("ASTRA_MAX_PIXELS", "many"),
    ("ASTRA_PLAN_LIMITS", "{"),
    ("ASTRA_PLAN_LIMITS", '{"gold": {"burst": 5}}'),
    ("ASTRA_PLAN_LIMITS", '{"free": {"burst": 0}}'),
    ("ASTRA_MAX_JOB_BYTES", "0"),
    ("ASTRA_DISK_RESERVE", "-1"),
    ("ASTRA_THREADS", "0"),
    ("ASTRA_THREADS", "all"),
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
]


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_stops_the_process_with_a_sentence_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    variables = {**(PRODUCTION if name == "DATABASE_URL" else {}), name: value}
    assert name in refusal(tmp_path, variables)


def test_table_of_nonsense_has_every_setting_that_can_be_wrong() -> None:
    """Those that the process itself reads, found by their being read, but for those that any text will do for."""
    import astra.settings

    assert astra.settings.DATA_DIR
    assert names_read() - {name for name, _ in NONSENSE} == {
        "ASTRA_BASEMAP_ATTRIBUTION",
        "ASTRA_ROLE",
    }


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize("debug", ["0", "1"])
def test_production_has_no_default_secret_and_hosts(tmp_path: Path, name: str, value: str, debug: str) -> None:
    assert name in refusal(tmp_path, {**PRODUCTION, "DEBUG": debug, name: value})


def test_short_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, {**PRODUCTION, "SECRET_KEY": "hunter2"})
    assert "SECRET_KEY" in sentence
    assert "hunter2" not in sentence


# --- Entry points ---------------------------------------------------------------------------------------------------

ENTRY_POINTS = {
    "gunicorn": ["-m", "gunicorn", "astra.wsgi", "--worker-class", "astra.web.PatientWorker", "--bind", "127.0.0.1:0"],
    "worker": ["-m", "celery", "-A", "astra", "worker", "-Q", "control"],
    "beat": ["-m", "celery", "-A", "astra", "beat"],
    "another web server": ["-c", "import astra.wsgi"],
}
NEVER_THERE = {**PRODUCTION, "DATABASE_URL": "postgres://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize("command", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "With nothing set, `python manage.py up` runs the whole service"),
        ({**PRODUCTION, "ASTRA_RESULT_TTL": "soon"}, "ASTRA_RESULT_TTL must be a number, not 'soon'."),
        ({**PRODUCTION, "SECRET_KEY": "hunter2"}, "SECRET_KEY must be a secret of 50 characters or more; it has 7."),
    ],
    ids=["nothing set", "nonsense", "a short secret"],
)
def test_process_ends_with_one_sentence(
    tmp_path: Path, command: list[str], variables: Mapping[str, str], said: str
) -> None:
    done = run(tmp_path, variables, *command)
    assert done.returncode == 2
    (sentence,) = (done.stdout + done.stderr).splitlines()
    assert sentence.startswith(said)


def test_any_worker_of_gunicorn_ends_and_is_not_started_again(tmp_path: Path) -> None:
    done = run(tmp_path, {}, "-m", "gunicorn", "astra.wsgi", "--bind", "127.0.0.1:0")
    assert done.returncode == 3
    assert done.stderr.count("With nothing set") == 1


@pytest.mark.parametrize("arguments", [["check"], ["migrate", "--plan"], ["createapikey", "--help"]])
def test_commands_run_with_nothing_set(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, {}, "manage.py", *arguments).returncode == 0


def test_process_that_manage_py_has_started_runs_with_nothing_set(tmp_path: Path) -> None:
    assert run(tmp_path, {BY_MANAGE: "1"}, "-c", "import astra.wsgi").returncode == 0


# --- Odd ones -------------------------------------------------------------------------------------------------------


def test_variable_that_does_not_exist_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    odd = {"ASTRA_RESULT_TLL": "60", "ASTRA_QQQQ": "1", "ASTRA_API_KEY": "x", "ASTRA_API_URL": "x"}
    done = run(tmp_path, {**PRODUCTION, **odd}, "-c", "import astra.wsgi")
    assert done.returncode == 0
    said = [line for line in done.stderr.splitlines() if "is no setting" in line]
    assert said == [
        "ASTRA_QQQQ is no setting of ASTRA.",
        "ASTRA_RESULT_TLL is no setting of ASTRA; the nearest is ASTRA_RESULT_TTL.",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as root")
def test_root_is_named_or_refused(tmp_path: Path) -> None:
    assert "runs as root" in run(tmp_path, PRODUCTION, "-c", "import astra.wsgi").stderr
    assert "runs as root" in refusal(tmp_path, {"ASTRA_REFUSE_ROOT": "1"})


def test_files_are_for_this_user_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(data, {}, "manage.py", "migrate", "--verbosity", "0").returncode == 0
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.rglob("*"))}
    assert {path for path, mode in modes.items() if mode & 0o077} == set()
    assert len(modes) > 2
