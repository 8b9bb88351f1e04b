"""Tokens of a catalogue: fetched when a file is read, kept until shortly before they end, and named if missing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from processing.raster.errors import ProviderUnavailable
from processing.raster.types import RemoteFile
from tests.raster.files.hosts import FOUR_BYTES, ask, config_of
from tests.raster.files.tokens import FAR_AWAY, HOUR, SECRET, Clock, iso, token
from tests.raster.support.misbehaving import LOGIN_PAGE, Answer, AnyServer, as_json, content, status

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def files() -> Iterator[AnyServer]:
    """Sends any file that is asked for."""
    with AnyServer(FOUR_BYTES) as server:
        yield server


def queries_of(server: AnyServer) -> list[str]:
    return [path.partition("?")[2] for _, path, _ in server.asked]


def test_token_is_added_to_the_url_when_the_file_is_read(files: AnyServer) -> None:
    with AnyServer(token(iso(time.time() + HOUR))) as tokens:
        for query in ("", "?a=b"):
            source = RemoteFile(url=f"{files.url}/red.tif{query}", token_url=f"{tokens.url}/sentinel-2-l2a")
            ask(source, config_of(files, tokens))
    assert [path for _, path, _ in files.asked] == [f"/red.tif?sig={SECRET}", f"/red.tif?a=b&sig={SECRET}"]
    assert [(method, path) for method, path, _ in tokens.asked] == [("GET", "/sentinel-2-l2a")]


def test_token_is_kept_until_shortly_before_it_ends(files: AnyServer, clock: Clock) -> None:
    ends = clock.now + HOUR
    with AnyServer(token(iso(ends), "sig=one"), token(iso(ends + 2 * HOUR), "sig=two")) as tokens:
        source = RemoteFile(url=f"{files.url}/red.tif", token_url=f"{tokens.url}/collection")
        for moment, asked in ((clock.now, 1), (ends - 600, 1), (ends - 1, 2), (ends + 5000, 2)):
            clock.now = moment
            ask(source, config_of(files, tokens))
            assert len(tokens.asked) == asked
    assert queries_of(files) == ["sig=one", "sig=one", "sig=two", "sig=two"]


@pytest.mark.parametrize("life", [60, 0, -3600])
def test_token_that_ends_soon_is_used_for_some_seconds(files: AnyServer, clock: Clock, life: int) -> None:
    """The host may have no longer ones, or our clock may be ahead of the host's."""
    with AnyServer(token(iso(clock.now + life))) as tokens:
        source = RemoteFile(url=f"{files.url}/red.tif", token_url=f"{tokens.url}/collection")
        for seconds, asked in ((0, 1), (2, 1), (8, 2), (1, 2)):
            clock.now += seconds
            ask(source, config_of(files, tokens))
            assert len(tokens.asked) == asked


def test_every_collection_has_its_own_token(files: AnyServer) -> None:
    ends = iso(time.time() + HOUR)
    with AnyServer(token(ends, "sig=one"), token(ends, "sig=two")) as tokens:
        for name in ("sentinel-2-l2a", "landsat-c2-l2", "sentinel-2-l2a"):
            ask(RemoteFile(url=f"{files.url}/a.tif", token_url=f"{tokens.url}/{name}"), config_of(files, tokens))
    assert queries_of(files) == ["sig=one", "sig=two", "sig=one"]


@pytest.mark.parametrize("ends", ["2090-01-01T00:00:00", "2090-01-01T00:00:00Z", "2090-01-01T02:00:00+02:00"])
def test_end_of_a_token_is_in_utc_unless_it_says_otherwise(files: AnyServer, clock: Clock, ends: str) -> None:
    with AnyServer(token(ends)) as tokens:
        source = RemoteFile(url=f"{files.url}/a.tif", token_url=tokens.url)
        for before, asked in ((601, 1), (600, 1), (1, 2)):
            clock.now = datetime(2090, 1, 1, tzinfo=UTC).timestamp() - before
            ask(source, config_of(files, tokens))
            assert len(tokens.asked) == asked


NO_TOKENS: dict[str, Answer] = {
    "no end": as_json({"token": "sig=x"}),
    "no token": as_json({"msft:expiry": FAR_AWAY}),
    "end is no time": token("soon"),
    "end is a number": token(5),
    "end is null": token(None),
    "token is null": token(FAR_AWAY, None),
    "token is a number": token(FAR_AWAY, 5),
    "token is a list": token(FAR_AWAY, ["sig=x"]),
    "token is empty": token(FAR_AWAY, ""),
    "token breaks the line": token(FAR_AWAY, "sig=x\r\nHost: elsewhere"),
    "token leaves the URL": token(FAR_AWAY, "sig=x HTTP/1.1"),
    "token cuts the URL": token(FAR_AWAY, "#sig=x"),
    "login page": content(LOGIN_PAGE, headers={"Content-Type": "text/html"}),
    "refused": status(403),
    "failing": status(503),
    "too many": status(429, Retry_After="600"),
}


@pytest.mark.parametrize("kind", sorted(NO_TOKENS))
def test_host_without_a_good_token_is_unavailable_and_no_file_is_asked_for(files: AnyServer, kind: str) -> None:
    with AnyServer(NO_TOKENS[kind]) as tokens, pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"{files.url}/red.tif", token_url=tokens.url), config_of(files, tokens))
    assert error.value.details["host"] == tokens.host
    assert tokens.host in error.value.message
    assert files.asked == []
