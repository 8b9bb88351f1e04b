"""The web server before any view: clients that are slow or silent, and requests that are none."""

import json
import os
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from bench.slow_clients import KINDS, slowest_answer
from tests.servers import wait_until

from .conftest import Service


@pytest.mark.parametrize("kind", KINDS)
def test_slow_clients_hold_up_nobody(service: Service, kind: str) -> None:
    assert slowest_answer(service.port, service.key, 100, kind, seconds=1.5) < 3


def test_callers_that_do_not_read_their_files_hold_up_nobody(service: Service) -> None:
    """More of them than the server has threads, and each file is more than it keeps for one connection."""
    job = service.wait_for(service.submit()["job_id"])
    (stored,) = (path for path in (service.data / "results" / "jobs" / job["job_id"]).rglob("*.tif"))
    os.truncate(stored, 64 << 20)
    path = job["result"]["href"].removeprefix(service.url)
    with ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), 5))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert requests.get(f"{service.url}/healthz", timeout=2).ok


def answer_to(service: Service, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to what may be no proper request."""
    with closing(socket.create_connection(("127.0.0.1", service.port), 5)) as client:
        client.sendall(request)
        with closing(client.makefile("rb")) as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower()
    assert b"x-request-id: " in head.lower()
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "VALIDATION_ERROR"),
        (b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", 400, "VALIDATION_ERROR"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", 400, "VALIDATION_ERROR"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "VALIDATION_ERROR"),
    ],
)
def test_what_is_no_request_is_refused_in_the_envelope(
    service: Service, request_bytes: bytes, status: int, code: str
) -> None:
    answered, body = answer_to(service, request_bytes)
    error = json.loads(body)["error"]
    assert (answered, error["code"]) == (status, code)
    assert error["message"]


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/api/v1/process", "/static/admin/css/base.css"])
def test_next_answer_of_a_connection_begins_where_that_to_head_ends(service: Service, path: str) -> None:
    """A body after HEAD would be read as the next answer."""
    first = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    second = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", service.port), 5)) as client:
        client.sendall(f"{first}{second}".encode())
        with closing(client.makefile("rb")) as answer:
            heads = answer.read().split(b"\r\n\r\n")
    assert [head[:9] for head in heads] == [b"HTTP/1.1 ", b"HTTP/1.1 ", b'{"status"']


def test_chunked_body_is_read(service: Service) -> None:
    body = json.dumps({"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}).encode()
    headers = {**service.headers, "Content-Type": "application/json"}
    answer = requests.post(
        f"{service.url}/api/v1/process", data=iter([body[:10], body[10:]]), headers=headers, timeout=5
    )
    assert answer.status_code == 202, answer.text


def test_files_of_the_data_folder_are_for_their_user_only(service: Service) -> None:
    service.wait_for(service.submit()["job_id"])
    shared = [path for path in (service.data, *service.data.rglob("*")) if mode_of(path) & 0o077]
    assert [path for path in shared if path.name != "up.out"] == []  # which the test itself has made


def mode_of(path: Path) -> int:
    """0 for one that is gone meanwhile, as files of SQLite come and go."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def test_process_that_dies_is_replaced(service: Service) -> None:
    web = {pid for pid, command in service.processes().items() if "gunicorn" in command}
    child = next(pid for pid in web if os.getpgid(pid) != pid)

    os.kill(child, signal.SIGKILL)

    wait_until(lambda: child not in service.processes() and _has_children(service, len(web)), 20, "another process")
    assert requests.get(f"{service.url}/healthz", timeout=5).ok


def _has_children(service: Service, count: int) -> bool:
    return len([command for command in service.processes().values() if "gunicorn" in command]) == count
