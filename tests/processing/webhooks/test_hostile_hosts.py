"""Hosts that no webhook may reach: private addresses in every spelling, rebinding names, certificates of others."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.http import ForbiddenAddress
from processing.models import WebhookDelivery
from processing.webhooks import check_address
from tests.answers import assert_error
from tests.processing.clock import Clock
from tests.processing.http.addresses import LOOPBACK, MALFORMED, NAMES, NO_HOSTS, NOT_PUBLIC, PUBLIC
from tests.processing.jobs import EXAMPLE, URL
from tests.servers import Receiver

from .deliveries import delivery_to, try_now

PING = "/api/v1/webhooks/test"
BLANKS = [" ", "\t", "\r", "\n", "\r\nX-Mine: 1", "\0", "\x7f", "\u00a0", "\u2028"]

Connections = list[tuple[str, int]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The only names that resolve, each to its addresses in turn and to the last one for ever."""
    known = {name: list(addresses) for name, addresses in NAMES.items()}
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str | bytes, port: int, *options: int, **named: int) -> Any:
        name = host.encode("idna").decode() if isinstance(host, str) else host.decode()
        addresses = known.get(name, [name])
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return resolve(address, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    """The addresses that were to be connected to. No connection is made."""
    asked: Connections = []

    def create_connection(address: tuple[str, int], *options: Any, **named: Any) -> Any:
        asked.append(address)
        raise OSError("no packet leaves this machine")

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create_connection)
    return asked


def given_up_or_again(delivery: WebhookDelivery) -> bool:
    return delivery.status in ("given up", "pending") and bool(delivery.tries.get().note)


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
@pytest.mark.parametrize("port", [443, 8443])
def test_webhook_reaches_no_host_that_is_not_public(
    key: ApiKey, clock: Clock, names: Any, connections: Connections, host: str, port: int
) -> None:
    assert given_up_or_again(try_now(delivery_to(key, f"https://{host}:{port}/hook"), clock))
    assert connections == []


@pytest.mark.parametrize("url", MALFORMED + NO_HOSTS)
def test_webhook_with_a_malformed_url_reaches_nobody(
    key: ApiKey, clock: Clock, names: Any, connections: Connections, url: str
) -> None:
    delivery = delivery_to(key, "https://public.example/")
    WebhookDelivery.objects.filter(pk=delivery.pk).update(url=url.replace("\0", ""))
    assert given_up_or_again(try_now(delivery, clock))
    assert connections == []


def test_ping_reaches_no_host_that_is_not_public(api: APIClient, names: Any, connections: Connections) -> None:
    for host in LOOPBACK + NOT_PUBLIC:
        answer = api.post(PING, {"url": f"https://{host}/hook"}, format="json")
        assert answer.status_code == 400 or answer.json()["delivered"] is False
    assert connections == []


def test_public_host_is_called_at_the_very_address_that_was_checked(
    key: ApiKey, clock: Clock, names: dict[str, list[str]], connections: Connections
) -> None:
    names["rebinds.example"] = [PUBLIC, "127.0.0.1"]
    delivery = try_now(delivery_to(key, "https://rebinds.example/hook"), clock)
    assert connections == [(PUBLIC, 443)]
    try_now(delivery, clock)
    assert connections == [(PUBLIC, 443)], "the name has turned private"


def test_host_that_catalogues_may_reach_is_none_for_webhooks(
    key: ApiKey, clock: Clock, settings: Settings, api: APIClient
) -> None:
    with Receiver() as receiver:
        settings.PRIVATE_HOSTS = frozenset({receiver.host})
        assert given_up_or_again(try_now(delivery_to(key, receiver.hook), clock))
        assert_error(api.post(PING, {"url": receiver.hook}, format="json"), 400)
        assert receiver.received == []


# --- The form of a URL ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    "form",
    [
        "https://public.example/a{}b",
        "https://public{}.example/",
        "{}https://public.example/",
        "https://public.example/{}",
    ],
)
def test_blanks_and_controls_are_refused_at_once(api: APIClient, blank: str, form: str) -> None:
    url = form.format(blank)
    with pytest.raises(ForbiddenAddress, match="blank"):
        check_address(url)
    for address, body in ((URL, {**EXAMPLE, "webhook_url": url}), (PING, {"url": url})):
        assert_error(api.post(address, body, format="json"), 400)


@pytest.mark.parametrize(("port", "allowed"), [(443, True), (8443, True), (80, False), (22, False), (6379, False)])
def test_ports_are_443_and_8443_unless_the_operator_names_others(settings: Settings, port: int, allowed: bool) -> None:
    url = f"https://public.example:{port}/hook"
    if allowed:
        check_address(url)
    else:
        with pytest.raises(ForbiddenAddress, match="8443"):
            check_address(url)
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({f"public.example:{port}"})
    check_address(url)


def test_submit_looks_up_no_name(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*asked: Any, **options: Any) -> Any:
        raise AssertionError(f"{asked} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    answer = api.post(URL, {**EXAMPLE, "webhook_url": "https://loops.example/hook"}, format="json")
    assert answer.status_code == 202


# --- Certificates ---------------------------------------------------------------------------------------------------


class SecureReceiver(Receiver):
    """A receiver with TLS, whose certificate is for `hooks.example`. `authority` has signed it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.authority = folder / "authority.pem"
        certificate = folder / "certificate.pem"
        write_certificate("hooks.example", self.authority, certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)


def write_certificate(host: str, authority: Path, certificate: Path) -> None:
    """An authority, and a certificate for the host with its key, which it has signed."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    subjects = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Tests", host)]
    extensions = (x509.BasicConstraints(True, None), x509.SubjectAlternativeName([x509.DNSName(host)]))
    signed = []
    for key, subject, extension in zip(keys, subjects, extensions, strict=True):
        builder = x509.CertificateBuilder(subjects[0], subject, key.public_key(), x509.random_serial_number())
        day = timedelta(days=1)
        builder = builder.not_valid_before(datetime.now(UTC) - day).not_valid_after(datetime.now(UTC) + day)
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        signed.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    authority.write_bytes(signed[0])
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    certificate.write_bytes(signed[1] + keys[1].private_bytes(encoding, form, plain))


@pytest.fixture
def secure(tmp_path: Path, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[SecureReceiver]:
    """Stands at a public address for `hooks.example` and `others.example`; its authority is trusted."""
    connect = socket.create_connection
    with SecureReceiver(tmp_path) as receiver:
        names["hooks.example"] = names["others.example"] = [PUBLIC]
        port = int(receiver.host.partition(":")[2])

        def create_connection(address: tuple[str, int], *options: Any, **named: Any) -> Any:
            assert address == (PUBLIC, 443)
            return connect(("127.0.0.1", port), 5)

        monkeypatch.setattr(urllib3.util.connection, "create_connection", create_connection)
        monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(receiver.authority))
        yield receiver


def test_certificate_for_another_name_is_refused(key: ApiKey, clock: Clock, secure: SecureReceiver) -> None:
    refused = try_now(delivery_to(key, "https://others.example/hook"), clock)
    assert secure.received == []
    assert refused.status == "pending"
    assert "certificate" in refused.tries.get().note
    taken = try_now(delivery_to(key, "https://hooks.example/hook"), clock)
    assert taken.status == "delivered", "the same server by its own name"
    assert len(secure.received) == 1


def test_certificate_of_an_unknown_authority_is_refused(
    key: ApiKey, clock: Clock, secure: SecureReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", certifi.where())
    delivery = try_now(delivery_to(key, "https://hooks.example/hook"), clock)
    assert secure.received == []
    assert "certificate" in delivery.tries.get().note
