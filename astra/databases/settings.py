"""The settings of both kinds of databases."""

import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

# A server that is away, or a network that swallows packets, is noticed within seconds.
_PATIENCE = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,  # milliseconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "options": "-c statement_timeout=15000 -c lock_timeout=5000",
}
# A web process has fewer threads than that, so nobody waits for another's connection. While the database is away the
# one caller who asks it waits half a second. By default the pool would retry ever more rarely: it stops after a second,
# and the next caller makes it retry.
_POOL = {"min_size": 4, "max_size": 16, "timeout": 0.5, "reconnect_timeout": 1}


# A scheme, and brackets of an IPv6 address that are closed.
_FORM = re.compile(r"(postgres|postgresql|psql|pgsql)://(?!\S*\[[^\]]*$)")


def sqlite(folder: Path) -> dict[str, Any]:
    """Several processes share the file. WAL lets readers go on beside the writer.

    IMMEDIATE takes the write lock at the start of a transaction, because a transaction that begins with a read and then
    writes ignores the timeout.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "astra.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }


def postgresql(url: str, *, pooled: bool) -> dict[str, Any]:
    """Web processes pool their connections, workers have one each. Raises ImproperlyConfigured."""
    config = _read(url)
    if "postgresql" not in config.get("ENGINE", "") or not config.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must have the form postgres://user:password@host:5432/name.")
    options = {**_PATIENCE, **config.get("OPTIONS", {})}
    if pooled:
        from .web import ImpatientConnection  # loads psycopg, which the embedded set does not need

        config["ENGINE"] = "astra.databases.web"
        options["pool"] = {**_POOL, "connection_class": ImpatientConnection}
    return {
        **config,
        "CONN_MAX_AGE": 0 if pooled else 60,  # a pool decides itself how long it keeps its connections
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # PgBouncer lends a connection for one transaction
        "OPTIONS": options,
    }


def _read(url: str) -> dict[str, Any]:
    """The parts of the URL; none if it is malformed. The library would warn or raise with the password in its words."""
    if _FORM.match(url) is None:
        return {}
    try:
        return dict(environ.Env.db_url_config(url))
    except ValueError:
        return {}
