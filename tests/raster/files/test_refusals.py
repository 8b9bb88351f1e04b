"""Hosts that refuse a file, fail, stay silent or send a web page: each is named, and whether it may pass."""

import pytest

from processing.http import sessions
from processing.raster.errors import ProviderUnavailable, SceneUnreadable
from processing.raster.types import RemoteFile
from tests.raster.files.hosts import (
    BYTES,
    Host,
    ask,
    config_of,
    part,
    read_pixels,
    read_span,
    reading,
)
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import LOGIN_PAGE, AnyServer, content, redirect, silence, status
from tests.servers import free_port


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451, 501])
def test_refused_file_is_unreadable(code: int) -> None:
    with AnyServer(status(code)) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert error.value.details["host"] == server.host
    assert str(code) in error.value.message
    assert not error.value.retryable
    assert len(server.asked) == 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_failing_host_is_unavailable_for_now(code: int) -> None:
    with AnyServer(status(code)) as server, pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert error.value.details["host"] == server.host
    assert error.value.retryable


@pytest.mark.parametrize("code", [429, 503])
def test_pause_that_a_host_asks_for_is_made(code: int, naps: list[float]) -> None:
    with Host(status(code, Retry_After="7"), part(BYTES)) as host, reading(host) as file:
        assert read_span(file) == BYTES
    assert naps == [7]


@pytest.mark.parametrize("code", [429, 503])
def test_host_that_always_asks_for_a_short_pause_is_given_up_after_some(code: int, naps: list[float]) -> None:
    with (
        Host(status(code, Retry_After="7")) as host,
        reading(host) as file,
        pytest.raises(ProviderUnavailable) as error,
    ):
        read_span(file)
    assert error.value.details == {"host": host.host, "retry_after": 7}
    assert 1 <= len(naps) <= 5
    assert naps == [7] * (len(host.asked) - 1)


def test_host_that_asks_for_a_long_pause_is_left_alone_at_once(naps: list[float]) -> None:
    with (
        Host(status(503, Retry_After="3600")) as host,
        reading(host) as file,
        pytest.raises(ProviderUnavailable) as error,
    ):
        read_span(file)
    assert error.value.details == {"host": host.host, "retry_after": 3600}
    assert (len(host.asked), naps) == (1, [])


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "Text/HTML", "application/xhtml+xml"])
@pytest.mark.parametrize("code", [200, 206])
def test_login_page_is_no_file(kind: str, code: int) -> None:
    with AnyServer(content(LOGIN_PAGE, code, {"Content-Type": kind})) as server, pytest.raises(SceneUnreadable):
        read_pixels(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))


def test_login_page_behind_a_redirect_is_named() -> None:
    page = content(LOGIN_PAGE, headers={"Content-Type": "text/html"})
    with AnyServer(redirect("/login"), page) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert "login" in error.value.message
    assert server.host in error.value.message


@pytest.mark.usefixtures("hurried")
def test_host_at_which_nobody_listens_is_unavailable() -> None:
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"http://{host}/red.tif"), config_for(private_hosts=frozenset({host})))
    assert error.value.details["host"] == host


@pytest.mark.usefixtures("hurried")
def test_host_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_TIMEOUT", (1.0, 0.4))
    with AnyServer(silence) as server, pytest.raises(ProviderUnavailable):
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
