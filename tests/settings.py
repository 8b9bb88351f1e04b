"""Django's settings for tests: the project's own, on a data folder that goes away, with messages kept in memory."""

import os
import tempfile
from pathlib import Path

_folder = tempfile.TemporaryDirectory(prefix="astra-tests-")
os.environ["ASTRA_DATA_DIR"] = _folder.name
os.environ.setdefault("ASTRA_LOG_LEVEL", "WARNING")

from astra.settings import *  # noqa: E402, F403

CELERY_BROKER_URL = "memory://"
SILENCED_SYSTEM_CHECKS = ["astra.E002"]  # messages stay in memory on purpose
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, because threads and processes of a test share it as those of the service do.
    DATABASES["default"]["TEST"] = {"NAME": Path(_folder.name) / "test.sqlite3"}  # noqa: F405
