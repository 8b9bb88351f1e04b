"""Django's settings for tests: the project's own, on a data folder that goes away.

They use SQLite, the local disk and messages in memory, whatever the shell names. Only with ASTRA_TEST_SET=production do
they use the servers that the environment names, and empty what they find there (see `tests.production_set`).
"""

import os
import tempfile
from pathlib import Path

from tests.environments import UNHURRIED

_folder = tempfile.TemporaryDirectory(prefix="astra-tests-")
os.environ["ASTRA_DATA_DIR"] = _folder.name
os.environ.setdefault("ASTRA_LOG_LEVEL", "WARNING")
os.environ.setdefault("ASTRA_PLAN_LIMITS", UNHURRIED)
_on_servers = os.environ.get("ASTRA_TEST_SET") == "production"
if not _on_servers:
    for _name in ("DATABASE_URL", "REDIS_URL", "ASTRA_BUCKET"):
        os.environ.pop(_name, None)

from astra.settings import *  # noqa: E402, F403

MIDDLEWARE = ["tests.described.AnswersAsDescribed", *MIDDLEWARE]  # noqa: F405

if not _on_servers:
    CELERY_BROKER_URL = "memory://"
    SILENCED_SYSTEM_CHECKS = ["astra.E002"]  # messages stay in memory on purpose
    # A file, because threads and processes of a test share it as those of the service do.
    DATABASES["default"]["TEST"] = {"NAME": Path(_folder.name) / "test.sqlite3"}  # noqa: F405
