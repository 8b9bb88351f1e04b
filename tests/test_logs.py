"""Lines for people and for machines, with the ids that they belong to and without API keys."""

import json
import logging
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from accounts.keys import new_key
from astra import logs
from astra.logs import JsonLines, Lines, WithoutKeys

ROOT = Path(__file__).resolve().parents[1]
LOGGERS = ("astra", "django.request", "django.server", "gunicorn.error", "x.y")


@pytest.fixture(autouse=True)
def nothing_bound() -> None:
    logs.unbind_all()


@pytest.fixture
def log() -> tuple[logging.Logger, StringIO]:
    """A logger with our filter, and what it writes."""
    return logger_with(WithoutKeys())


def logger_with(formatter: logging.Formatter) -> tuple[logging.Logger, StringIO]:
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, out


@pytest.mark.parametrize("mode", ["live", "test"])
def test_key_is_hidden_in_messages(log: tuple[logging.Logger, StringIO], mode: str) -> None:
    logger, out = log
    key = new_key(mode)  # type: ignore[arg-type]
    logger.warning(f"Authorization: Bearer {key}, again {key}.")
    logger.warning("%s for %d", f"Bearer {key}", 7)
    logger.warning({"header": key})
    assert key[14:] not in out.getvalue()
    assert out.getvalue().count(f"astra_sk_{mode}_...") == 4
    assert "for 7" in out.getvalue()


def test_key_is_hidden_in_tracebacks(log: tuple[logging.Logger, StringIO]) -> None:
    logger, out = log
    key = new_key("live")
    try:
        raise ValueError(f"cannot read {key}")
    except ValueError:
        logger.exception("failed")
    assert "ValueError: cannot read" in out.getvalue()
    assert key[14:] not in out.getvalue()


def test_other_messages_are_unchanged(log: tuple[logging.Logger, StringIO]) -> None:
    logger, out = log
    logger.warning("100%% of %s, see astra_sk_", "job_1")
    assert out.getvalue() == "100% of job_1, see astra_sk_\n"


def test_json_line_holds_what_is_bound() -> None:
    logger, out = logger_with(JsonLines())
    with logs.bound(job_id="job_7"):
        logger.warning("%s of %d", "two", 3)
    logger.warning("later")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "two of 3", "level": "warning", "logger": "test", "job_id": "job_7"}
    assert "job_id" not in second


def test_json_line_holds_a_traceback_without_keys() -> None:
    logger, out = logger_with(JsonLines())
    key = new_key("live")
    try:
        raise ValueError(f"cannot read {key}")
    except ValueError:
        logger.exception("failed")
    (line,) = out.getvalue().splitlines()
    assert "ValueError: cannot read astra_sk_live_..." in json.loads(line)["exception"]
    assert key not in line


def test_json_line_shows_only_known_extras() -> None:
    logger, out = logger_with(JsonLines())
    logger.warning("answered", extra={"status": 404, "request": "GET /files/x?sig=secret"})
    assert json.loads(out.getvalue())["status"] == 404
    assert "secret" not in out.getvalue()


def test_readable_line_ends_with_what_is_bound() -> None:
    logger, out = logger_with(Lines())
    with logs.bound(request_id="a", job_id="job_7"):
        logger.warning("one")
    logger.warning("two")
    one, two = out.getvalue().splitlines()
    assert one.endswith("WARNING test: one job_id=job_7 request_id=a")
    assert two.endswith("WARNING test: two")


@pytest.mark.parametrize("form", ["json", "lines"])
@pytest.mark.parametrize("debug", ["0", "1"])
def test_process_writes_no_key_to_its_console(tmp_path: Path, form: str, debug: str) -> None:
    """Whichever logger it is, in the project as it is configured."""
    key = new_key("live")
    program = (
        "import django, logging, sys; django.setup();"
        f"[logging.getLogger(name).error('refused %s', sys.argv[1]) for name in {LOGGERS}]"
    )
    environment = {
        **os.environ,
        "ASTRA_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "astra.settings",
        "ASTRA_LOG_FORMAT": form,
        "DEBUG": debug,
    }
    done = subprocess.run(
        [sys.executable, "-c", program, key], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    written = done.stdout + done.stderr
    assert written.count("refused astra_sk_live_...") == len(LOGGERS)
    assert key not in written
    assert form != "json" or [json.loads(line)["level"] for line in written.splitlines()] == ["error"] * len(LOGGERS)


def test_celery_adds_no_handlers_of_its_own(tmp_path: Path) -> None:
    program = (
        "from astra import celery_app; import logging, sys; celery_app.loader.init_worker();"
        "celery_app.log.setup('INFO', redirect_stdouts=True);"
        "[logging.getLogger(name).error('refused %s', sys.argv[1]) for name in ('celery.task', 'multiprocessing')];"
        "print('printed')"
    )
    key, environment = new_key("test"), {**os.environ, "ASTRA_DATA_DIR": str(tmp_path), "ASTRA_LOG_FORMAT": "json"}
    environment["DJANGO_SETTINGS_MODULE"] = "astra.settings"
    done = subprocess.run(
        [sys.executable, "-c", program, key], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["refused astra_sk_test_..."] * 2
    assert done.stdout == "printed\n"
