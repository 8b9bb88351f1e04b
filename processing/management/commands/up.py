"""`manage.py up`: the whole service on this machine, until Ctrl-C."""

import fcntl
import os
import secrets
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from accounts.models import Account, ApiKey
from astra.embedded.broker import BrokerMissing, configure_broker
from astra.embedded.left_over import kill_left_over
from astra.embedded.outside import Outside, Watch, broker_fault, database_fault
from astra.embedded.processes import children
from astra.embedded.supervisor import Child, ChildFailed, Supervisor
from astra.environment import text
from astra.starting import oddities
from processing.raster.sandbox.location import catalogue_folder

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # compared with, never a default
_READY_SECONDS = 60.0
_LOOK_EVERY = 0.1
# What a worker takes to end after it has handed its jobs back.
_SECONDS_BEYOND_GRACE = 5.0
_FIRST_ACCOUNT = "first"
_ADMIN = "admin"


class Command(BaseCommand):
    help = "Runs the whole service on this machine: broker, web, workers and beat. Ctrl-C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
        parser.add_argument("--workers", type=int, default=2, help="jobs that run at once (default 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        for sentence in oddities():
            self._say(sentence)
        with suppress(PermissionError):  # of a folder that another user has made for us
            settings.DATA_DIR.chmod(0o700)
        if workers < 1:
            raise CommandError("--workers must be 1 or more.")
        _check_exposure(host)
        with _only_one(settings.DATA_DIR / "up.lock"):
            pids, stop_seconds = settings.DATA_DIR / "pids.json", settings.STOP_GRACE + _SECONDS_BEYOND_GRACE
            if left := kill_left_over(pids):
                self._say(f"killed {left} processes that a killed `up` had left behind")
            _check_address(host, port)
            with Supervisor(self._say, pids, stop_seconds) as supervisor:
                self._run(supervisor, host, port, workers)

    def _run(self, supervisor: Supervisor, host: str, port: int, workers: int) -> None:
        servers = _operators_servers()
        if not self._greet(supervisor, servers) or not self._prepare(supervisor):
            return
        environment = {"REDIS_URL": self._start_broker(supervisor)}
        address = f"{_url_host(host)}:{port}"
        for child in children(address, workers, environment, settings.DATA_DIR, _log("web").parent):
            supervisor.add(child)
        with Watch(servers, self._say):
            if _wait_for_web(supervisor, host, port):
                self._welcome(f"http://{address}")
            supervisor.watch()
        self._say("stopping")

    def _greet(self, supervisor: Supervisor, servers: Iterable[Outside]) -> bool:
        """Say which of the operator's servers are away, and wait for the database. False if a signal stopped us."""
        for server in servers:
            while not supervisor.stopping:
                if news := server.news():
                    self._say(news)
                if not server.is_away or server.can_wait:
                    break
                time.sleep(_LOOK_EVERY)
        return not supervisor.stopping

    def _prepare(self, supervisor: Supervisor) -> bool:
        """Bring database and sandbox up to date. False if a signal stopped us before."""
        call_command("migrate", verbosity=0)
        if catalogue_folder(settings.SANDBOX_DIR).exists():
            return True
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "makesandbox"]
        try:
            return supervisor.run(Child(name="sandbox", command=command, log=_log("sandbox")))
        except ChildFailed as error:
            raise CommandError(str(error)) from error

    def _start_broker(self, supervisor: Supervisor) -> str:
        """URL of the broker: the operator's, or our own child's."""
        if "REDIS_URL" in os.environ:
            return settings.REDIS_URL
        try:
            broker = configure_broker(settings.DATA_DIR / "broker")
            supervisor.add(Child(name="broker", command=broker.command, log=_log("broker"), outlives=True))
            broker.wait_until_ready()
        except (BrokerMissing, TimeoutError) as error:
            raise CommandError(str(error)) from error
        return broker.url

    def _welcome(self, url: str) -> None:
        password, key = _admin_password(), _first_test_key()
        connections.close_all()
        self.stdout.write(f"""
ASTRA is up.

  API        {url}/api/v1/process
  Admin      {url}/admin/   user {_ADMIN}, password {password}
  Test key   {key}
  Data       {settings.DATA_DIR}   (logs in log/)

Ctrl-C stops everything.""")
        self.stdout.flush()

    def _say(self, line: str) -> None:
        self.stdout.write(f"[up] {line}")
        self.stdout.flush()


def _operators_servers() -> list[Outside]:
    """What is not ours to start. Without the database nothing can begin; the broker may come later."""
    servers = []
    if not settings.EMBEDDED:
        database = settings.DATABASES["default"]
        name = f"the database at {database['HOST'] or 'this machine'}:{database['PORT'] or 5432}"
        servers.append(Outside(name=name, fault=database_fault, can_wait=False))
    if "REDIS_URL" in os.environ:
        parts = urlsplit(settings.REDIS_URL)
        fault = partial(broker_fault, settings.REDIS_URL)
        servers.append(Outside(name=f"the broker at {parts.hostname}:{parts.port or 6379}", fault=fault))
    return servers


def _check_exposure(host: str) -> None:
    """Beyond loopback, the names of this host must be known, and nobody may see debug pages."""
    if host in _LOOPBACK:
        return
    if not text("ALLOWED_HOSTS"):
        raise CommandError("To listen beyond this machine, set ALLOWED_HOSTS to the names that callers use.")
    if settings.DEBUG:
        raise CommandError("To listen beyond this machine, unset DEBUG: its pages show how the service works inside.")


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error}). Choose another with --port.") from error


def _wait_for_web(supervisor: Supervisor, host: str, port: int) -> bool:
    """True once the web server answers. False if a signal stopped us before."""
    deadline = time.monotonic() + _READY_SECONDS
    reachable = "127.0.0.1" if host == _ALL_ADDRESSES else _url_host(host)
    while not supervisor.stopping:
        supervisor.look_once()
        try:
            requests.get(f"http://{reachable}:{port}/healthz", timeout=2)
            return True
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise CommandError(f"The web server does not answer. See {_log('web')}.") from None
            time.sleep(0.1)
    return False


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Two services on one data folder would spoil each other's files."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"Another `manage.py up` is running on {settings.DATA_DIR}.") from None
        yield


def _admin_password() -> str:
    """The password of the first admin, made at the first start."""
    path = settings.DATA_DIR / "admin_password"
    if not User.objects.filter(username=_ADMIN).exists():
        _keep(path, secrets.token_urlsafe(12))
        User.objects.create_superuser(_ADMIN, password=path.read_text())
    return path.read_text() if path.exists() else "as you set it"


def _first_test_key() -> str:
    """A test key that is the same at every start."""
    path = settings.DATA_DIR / "test_key"
    if path.exists() and ApiKey.authenticate(path.read_text()):
        return path.read_text()
    account, _ = Account.objects.get_or_create(name=_FIRST_ACCOUNT, defaults={"plan": Account.Plan.SCALE})
    _, text = ApiKey.objects.issue(account, "test", "made by manage.py up")
    _keep(path, text)
    return text


def _keep(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret)


def _log(name: str) -> Path:
    return Path(settings.DATA_DIR / "log" / f"{name}.log")


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
