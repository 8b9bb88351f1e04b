"""No API key gets into the logs."""

import logging
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from accounts.keys import new_key
from astra.logs import WithoutKeys

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def log() -> tuple[logging.Logger, StringIO]:
    """A logger with our filter, and what it writes."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(WithoutKeys())
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


def test_process_writes_no_key_to_its_console(tmp_path: Path) -> None:
    """Whichever logger it is, in the project as it is configured."""
    key = new_key("live")
    program = (
        "import django, logging, sys; django.setup();"
        "[logging.getLogger(name).error('refused %s', sys.argv[1]) for name in ('astra', 'django.request', 'x.y')]"
    )
    environment = {**os.environ, "ASTRA_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "astra.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program, key], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    written = done.stdout + done.stderr
    assert written.count("refused astra_sk_live_...") >= 3
    assert key not in written
