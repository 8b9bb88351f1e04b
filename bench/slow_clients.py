"""How slow clients hold a web server: `python -m bench.slow_clients [--servers NAME ...] [--clients 16 100]`.

Each server runs the whole project on a new database. While the slow clients are connected, /healthz is asked again and
again; the slowest answer counts. Servers other than that of requirements.txt have to be installed before.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from astra.starting import BY_MANAGE

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 5.0  # seconds for one answer; longer is as bad
_READY_SECONDS = 30.0
_REQUEST = (
    b"POST /api/v1/process HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    b"Content-Type: application/json\r\n"
)

# What each kind sends at once, and then byte by byte.
KINDS: Mapping[str, tuple[bytes, bytes]] = {
    "idle": (b"", b""),
    "headers": (_REQUEST, b"X-Slow: " + b"a" * 1000),
    "bodies": (_REQUEST + b"Content-Length: 1000\r\n\r\n", b" " * 1000),
}
_GUNICORN = ["gunicorn", "astra.wsgi", "--bind=127.0.0.1:{port}", "--workers=2"]
SERVERS: Mapping[str, Sequence[str]] = {
    "ours": [*_GUNICORN, "--threads=8", "--worker-class=astra.web.PatientWorker"],
    "gunicorn": [*_GUNICORN, "--threads=8"],
    "gevent": [*_GUNICORN, "--worker-class=gevent"],
    "waitress": ["waitress-serve", "--listen=127.0.0.1:{port}", "--threads=16", "astra.wsgi:application"],
    "granian": ["granian", "astra.wsgi:application", "--interface=wsgi", "--port={port}", "--workers=2"],
    "granian-8": [
        *("granian", "astra.wsgi:application", "--interface=wsgi", "--port={port}", "--workers=2"),
        "--blocking-threads=8",
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.slow_clients", description=__doc__)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["ours", "gunicorn"], metavar="NAME")
    parser.add_argument("--clients", nargs="+", type=int, default=[16, 100])
    arguments = parser.parse_args()
    print("| server | slow clients | " + " | ".join(KINDS) + " |\n|---|---|" + "---|" * len(KINDS))
    for name in arguments.servers:
        for count in arguments.clients:
            with serving(SERVERS[name]) as (port, key):
                slowest = [f"{slowest_answer(port, key, count, kind):.2f} s" for kind in KINDS]
            print(f"| {name} | {count} | " + " | ".join(slowest) + " |", flush=True)


@contextmanager
def serving(command: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Port, and an API key, of the server that `command` starts, on a data folder of its own."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as data:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "ASTRA_DATA_DIR": data, "ASTRA_LOG_LEVEL": "CRITICAL"}
        environment[BY_MANAGE] = "1"  # or it would refuse to start without a production
        _manage(environment, "migrate", "-v0")
        key = _manage(environment, "createapikey", "--account", "slow", "--test").split()[-1]
        filled = [part.format(port=port) for part in command]
        server = subprocess.Popen(
            filled, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_until_ready(port)
            yield port, key
        finally:
            server.terminate()
            _end(server)


def slowest_answer(port: int, key: str, count: int, kind: str, seconds: float = 4.0) -> float:
    """Seconds that the slowest of many requests took while `count` slow clients of this kind were connected."""
    at_once, bit_by_bit = KINDS[kind]
    done = threading.Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 5)) for _ in range(count)]
        for client in clients:
            client.sendall(at_once.replace(b"{key}", key.encode()))
        dripping = threading.Thread(target=_drip, args=(clients, bit_by_bit, done))
        dripping.start()
        slowest = slowest_healthz(port, seconds)
        done.set()
        dripping.join()
    return slowest


def slowest_healthz(port: int, seconds: float) -> float:
    """Seconds that the slowest of many requests took that were sent one after the other for so many seconds."""
    return max(_answer_seconds(port) for _ in _for_seconds(seconds))


def _drip(clients: Sequence[socket.socket], content: bytes, done: threading.Event) -> None:
    """Send a byte of each client twice a second, to those that are still connected."""
    for value in content:
        if done.wait(0.5):
            return
        for client in clients:
            try:
                client.sendall(bytes([value]))
            except OSError:  # the server has ended this one, which is its right
                continue


def _answer_seconds(port: int) -> float:
    began = time.monotonic()
    try:
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=_PATIENCE)
    except requests.RequestException:
        return _PATIENCE
    return time.monotonic() - began


def _for_seconds(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while _answer_seconds(port) >= _PATIENCE or not requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok:
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not answer")


def _end(server: "subprocess.Popen[bytes]") -> None:
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
