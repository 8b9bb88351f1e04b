"""The processes of the service on one machine; the Procfile has the same for a production."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .supervisor import Child

_WEBHOOKS_AT_ONCE = 4
_CONTROLS_AT_ONCE = 2  # so that a storage that hangs holds up no sweep


def children(address: str, workers: int, environment: Mapping[str, str], data: Path, log: Path) -> Iterator[Child]:
    """Web server on `address`, workers of the three queues and beat, to be started in this order."""
    commands = {
        "web": _web(address),
        "worker": _worker("rasters", workers),
        "webhooks": _worker("webhooks", _WEBHOOKS_AT_ONCE),
        "control": _worker("control", _CONTROLS_AT_ONCE),
    }
    for name, command in commands.items():
        yield Child(name=name, command=command, log=log / f"{name}.log", environment=environment)
    beat = [*_celery("beat"), "--schedule", str(data / "beat-schedule"), "--pidfile="]
    yield Child(name="beat", command=beat, log=log / "beat.log", environment=environment)


def _web(address: str) -> list[str]:
    server = [sys.executable, "-m", "gunicorn", "astra.wsgi", "--bind", address, "--graceful-timeout", "5"]
    return [*server, "--worker-class", "astra.web.PatientWorker", "--workers", "2", "--threads", "8"]


def _worker(queue: str, at_once: int) -> list[str]:
    """Each name may stand only once on a machine, or Celery mixes them up. Mingling with others costs a second."""
    quiet = ["--without-mingle", "--without-gossip"]
    return [*_celery("worker"), "-Q", queue, "--hostname", f"{queue}@%h", "--concurrency", str(at_once), *quiet]


def _celery(part: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "astra", part, "--loglevel", "INFO"]
