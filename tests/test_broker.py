"""The broker behind TLS: messages arrive, and no certificate of a stranger is taken."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from astra.embedded.broker import configure_broker

ROOT = Path(__file__).resolve().parents[1]
PUBLISH = (
    "import django; django.setup(); from processing.tasks import sweep; sweep.apply_async(retry=False); print('sent')"
)


def certificate(folder: Path) -> Path:
    """Certificate and key of 127.0.0.1 in one file, signed by itself."""
    file = folder / "broker.pem"
    kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(file), "-out", str(folder / "public.pem")]
    subprocess.run(["openssl", "req", *kind, *subject, *files], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (folder / "public.pem").read_bytes())
    return file


@contextmanager
def behind_tls(port: int, certificate: Path) -> Iterator[int]:
    """The port of a front that speaks TLS and passes everything on to `port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with closing(socket.create_server(("127.0.0.1", 0))) as front:
        threading.Thread(target=_serve, args=(front, context, port), daemon=True).start()
        yield front.getsockname()[1]


def _serve(front: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # the front is closed
        while True:
            plain, _ = front.accept()
            with suppress(ssl.SSLError):  # the client does not like our certificate
                client, server = (
                    context.wrap_socket(plain, server_side=True),
                    socket.create_connection(("127.0.0.1", port)),
                )
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL of a broker that wants TLS and a password, and its certificate."""
    folder = tmp_path_factory.mktemp("broker")
    server, pem = configure_broker(folder / "valkey"), certificate(folder)
    with subprocess.Popen(server.command, stdout=subprocess.DEVNULL) as process:
        try:
            server.wait_until_ready()
            parts = urlsplit(server.url)
            assert parts.port is not None
            with behind_tls(parts.port, pem) as port:
                yield f"rediss://:{parts.password}@127.0.0.1:{port}/0", pem
        finally:
            process.kill()


def publish(data: Path, url: str) -> "subprocess.CompletedProcess[str]":
    settings = {"REDIS_URL": url, "ASTRA_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "astra.settings"}
    environment = {**os.environ, **settings}
    return subprocess.run([sys.executable, "-c", PUBLISH], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_messages_reach_a_broker_behind_tls(broker: tuple[str, Path], tmp_path: Path) -> None:
    url, pem = broker
    done = publish(tmp_path, f"{url}?ssl_ca_certs={pem}")
    assert done.stdout == "sent\n", done.stderr


def test_certificate_of_a_stranger_is_refused(broker: tuple[str, Path], tmp_path: Path) -> None:
    done = publish(tmp_path, broker[0])
    assert done.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def test_certificate_of_a_stranger_is_taken_if_the_url_says_so(broker: tuple[str, Path], tmp_path: Path) -> None:
    assert publish(tmp_path, f"{broker[0]}?ssl_cert_reqs=none").stdout == "sent\n"
