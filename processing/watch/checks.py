"""Is what the service stands on there? Each check is bounded in time."""

import os
from pathlib import Path
from threading import Event, Thread

import redis
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.backoff import NoBackoff
from redis.retry import Retry

_BROKER_SECONDS = 1.0
# Once set it stays set: the migrations of a running process do not change.
_migrated = Event()


def is_migrated() -> bool:
    """True if the database has all migrations of this code. Raises Django's database errors."""
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.set()
    return True


def broker_answers() -> bool:
    """In a thread of its own: no timeout of a socket bounds the look-up of a name, or an answer that trickles."""
    answered = Event()
    thread = Thread(target=_ping, args=(answered,), name="ping-broker", daemon=True)
    thread.start()
    thread.join(_BROKER_SECONDS)
    return answered.is_set()


def storage_state() -> str:
    """ok, not writable, or not checked. A store behind the network is left to the workers."""
    if not isinstance(default_storage, FileSystemStorage):
        return "not checked"
    return "ok" if _is_writable(Path(default_storage.location)) else "not writable"


def _ping(answered: Event) -> None:
    bounds = {"socket_connect_timeout": _BROKER_SECONDS, "socket_timeout": _BROKER_SECONDS}
    client = redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **bounds)
    try:
        client.ping()
        answered.set()
    except (redis.RedisError, OSError):
        pass  # not answered
    finally:
        client.close()


def _is_writable(folder: Path) -> bool:
    """Also of a folder that the first result makes."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
