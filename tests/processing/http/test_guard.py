"""Which URLs are allowed: private addresses are refused in every spelling, and malformed URLs by their form."""

import socket
from typing import Any

import pytest

from processing.http.guard import ForbiddenAddress, check_form, check_url
from tests.processing.http.addresses import LOOPBACK, MALFORMED, NAMES, NO_HOSTS, NOT_PUBLIC, PUBLIC

pytestmark = pytest.mark.usefixtures("no_real_names")


@pytest.mark.parametrize("url", MALFORMED + NO_HOSTS)
def test_malformed_or_unsafe_form_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url, frozenset())


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_address_that_is_not_public_is_refused(host: str, scheme: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(f"{scheme}://{host}:8443/path", frozenset())


@pytest.mark.parametrize(
    "host", [host for host in LOOPBACK + NOT_PUBLIC if host.rstrip(".").lower() == "localhost" or host not in NAMES]
)
def test_form_alone_refuses_private_addresses_in_a_url(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_form(f"https://{host}/", frozenset())


@pytest.mark.parametrize("url", MALFORMED)
def test_form_alone_refuses_malformed_urls(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_form(url, frozenset())


@pytest.mark.parametrize("host", ["1a.2b.3c", "public.example", "1and1.example", "inner.example", "unknown.example"])
def test_form_alone_looks_up_no_name(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def getaddrinfo(*asked: Any, **options: Any) -> Any:
        raise AssertionError(f"{asked} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    check_form(f"https://{host}/path?query", frozenset())


@pytest.mark.parametrize("host", ["public.example", "PUBLIC.example", "public6.example", PUBLIC, "8.8.8.8"])
@pytest.mark.parametrize("rest", ["", "/", ":8443/path?query#fragment"])
def test_public_host_is_allowed(host: str, rest: str) -> None:
    check_url(f"https://{host}{rest}", frozenset())
    check_form(f"https://{host}{rest}", frozenset())


def test_port_of_the_scheme_counts_if_the_url_names_none() -> None:
    check_url("http://inner.example/", frozenset({"inner.example:80"}))
    check_url("https://inner.example/", frozenset({"inner.example:443"}))
    with pytest.raises(ForbiddenAddress):
        check_url("https://inner.example/", frozenset({"inner.example:80"}))
