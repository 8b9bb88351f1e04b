"""From a source to what GDAL opens: redirects, refusals, tokens and buckets."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import rasterio

from processing.http import retry
from processing.raster import windows
from processing.raster.catalogues.sources import sources_of
from processing.raster.errors import BandNotFound, ProviderUnavailable, RasterError, SceneUnreadable
from processing.raster.files import connections
from processing.raster.files.connections import Connections
from processing.raster.files.ranges import RemoteBytes, Span
from processing.raster.gdal import gdal_environment
from processing.raster.pipeline import run
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import Config, PixelArray, Product, RemoteFile, S3Access, S3File, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import LOGIN_PAGE, Answer, AnyServer, as_json, content, redirect, silence, status
from tests.raster.support.rasters import band, described, float_ndvi, grid, ndvi_request, read_tif, write_tif
from tests.servers import HttpServer, RangeServer, free_port

PIXELS: PixelArray = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)
NO_FILE = content(b"II*\0", 206, {"Content-Range": "bytes 0-3/4"})


def config(*servers: HttpServer, **more: Any) -> Config:
    """Settings that allow these servers and no other private host."""
    hosts = frozenset(server.host for server in servers)
    return config_for(private_hosts=hosts, **more)


def read(source: Any, settings: Config) -> PixelArray:
    with gdal_environment(), described(band(source), settings) as file:
        return file.overview(1000)


def ask(source: Any, settings: Config) -> None:
    """For the first bytes of a file."""
    with Connections() as hosts:
        RemoteBytes.of(source, settings.network, hosts).read(Span(0, 4), lambda offset, part: None)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is down is asked twice and without waiting."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))


# --- Redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_to_a_host_that_is_allowed_is_followed(range_server: RangeServer, code: int) -> None:
    write_tif(range_server.folder / "red.tif", PIXELS)
    with AnyServer(redirect(f"{range_server.url}/red.tif", code)) as first:
        settings = config(first, range_server)
        pixels = [read(RemoteFile(url=f"{first.url}/somewhere.tif"), settings) for _ in range(2)]
    np.testing.assert_array_equal(pixels, [PIXELS, PIXELS])
    assert len(first.asked) == 1  # it is remembered


def test_redirect_may_be_relative(range_server: RangeServer) -> None:
    with AnyServer(redirect("../other/red.tif"), NO_FILE) as server:
        ask(RemoteFile(url=f"{server.url}/a/b/red.tif"), config(server))
    assert [path for _, path, _ in server.asked] == ["/a/b/red.tif", "/a/other/red.tif"]


# {port} is that of a server that may not be asked.
FORBIDDEN = [
    "http://127.0.0.1:{port}/red.tif",
    "http://localhost:{port}/red.tif",
    "http://[::1]:{port}/red.tif",
    "http://0.0.0.0:{port}/red.tif",
    "//0x7f.1:{port}/red.tif",
    "http://2130706433:{port}/red.tif",
    "https://127.0.0.1:{port}/red.tif",
    "https://2130706433:{port}/red.tif",
    "https://[::ffff:127.0.0.1]:{port}/red.tif",
    "https://[64:ff9b::7f00:1]:{port}/red.tif",
    "https://169.254.169.254/latest/meta-data/red.tif",
    "http://169.254.169.254/latest/meta-data/red.tif",
    "https://10.0.0.1/red.tif",
    "https://user:password@127.0.0.1:{port}/red.tif",
    "file:///etc/hostname",
    "ftp://127.0.0.1:{port}/red.tif",
    "s3://bucket/red.tif",
    "gopher://127.0.0.1:{port}/red.tif",
    "http://[::1",
    "https://:443/red.tif",
    "http://127.0.0.1:99999/red.tif",
]


@pytest.mark.parametrize("target", FORBIDDEN)
def test_redirect_to_a_host_that_is_not_allowed_is_refused_without_asking_it(target: str) -> None:
    with AnyServer(NO_FILE) as secret:
        target = target.format(port=secret.host.partition(":")[2])
        with AnyServer(redirect(target)) as server, pytest.raises(SceneUnreadable) as error:
            ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert (len(server.asked), secret.asked) == (1, [])
    assert error.value.message


@pytest.mark.parametrize("href", FORBIDDEN)
def test_href_to_a_host_that_is_not_allowed_is_refused_without_asking_it(href: str) -> None:
    with AnyServer(NO_FILE) as secret:
        href = href.format(port=secret.host.partition(":")[2])
        href = f"http:{href}" if href.startswith("//") else href
        with pytest.raises(SceneUnreadable):
            read(RemoteFile(url=href), config())
    assert secret.asked == []


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "-", "%00", "\u0661\u0662\u0667.0.0.1"])
def test_href_to_what_can_be_no_host_ends_in_a_named_error(host: str) -> None:
    """None of these is a name that could be looked up."""
    with pytest.raises((SceneUnreadable, ProviderUnavailable)):
        ask(RemoteFile(url=f"https://{host}/red.tif"), config())


@pytest.mark.parametrize("href", ["http://[bad/x.tif", "https://[::1/x.tif", "https://files.example:99999/x.tif"])
def test_href_that_is_not_a_url_is_refused_in_a_sentence(href: str) -> None:
    with pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=href), config())
    assert error.value.message == "The address of the file may not be read. This is not a URL."


def test_redirect_to_what_is_not_a_url_names_the_host_that_redirects() -> None:
    with AnyServer(redirect("http://[bad/x.tif")) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert error.value.message == f"The host {server.host} redirects to an address that is not a URL."


def test_redirects_in_a_circle_are_given_up() -> None:
    with AnyServer(redirect("/again.tif")) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert 2 <= len(server.asked) <= 11
    assert "redirect" in error.value.message


def test_redirect_that_leads_nowhere_is_no_file() -> None:
    with AnyServer(status(302)) as server, pytest.raises(SceneUnreadable):
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))


# --- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451, 501])
def test_file_that_is_refused_is_unreadable(code: int) -> None:
    with AnyServer(status(code)) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert error.value.details["host"] == server.host
    assert str(code) in error.value.message
    assert not error.value.retryable


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_host_that_fails_is_unavailable_for_now(code: int) -> None:
    with AnyServer(status(code)) as server, pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert error.value.details["host"] == server.host
    assert error.value.retryable


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "Text/HTML", "application/xhtml+xml"])
@pytest.mark.parametrize("code", [200, 206])
def test_login_page_is_no_file(kind: str, code: int) -> None:
    with AnyServer(content(LOGIN_PAGE, code, {"Content-Type": kind})) as server, pytest.raises(SceneUnreadable):
        read(RemoteFile(url=f"{server.url}/red.tif"), config(server))


def test_login_page_behind_a_redirect_is_named() -> None:
    page = content(LOGIN_PAGE, headers={"Content-Type": "text/html"})
    with AnyServer(redirect("/login"), page) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))
    assert "login" in error.value.message
    assert server.host in error.value.message


def test_host_at_which_nobody_listens_is_unavailable() -> None:
    host = f"127.0.0.1:{free_port()}"
    settings = config_for(private_hosts=frozenset({host}))
    with pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"http://{host}/red.tif"), settings)
    assert error.value.details["host"] == host


def test_host_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_TIMEOUT", (1.0, 0.4))
    with AnyServer(silence) as server, pytest.raises(ProviderUnavailable):
        ask(RemoteFile(url=f"{server.url}/red.tif"), config(server))


def test_small_file_takes_one_request(range_server: RangeServer) -> None:
    write_tif(range_server.folder / "red.tif", PIXELS)
    np.testing.assert_array_equal(read(RemoteFile(url=f"{range_server.url}/red.tif"), config(range_server)), PIXELS)
    assert range_server.requests == [("GET", "/red.tif", "bytes=0-98303")]


def test_lossless_jpeg_2000_is_read_as_it_is(range_server: RangeServer) -> None:
    path = range_server.folder / "T33TWL_B04_10m.jp2"
    place = {"crs": "EPSG:32633", "transform": grid(20, 20).transform, "width": 20, "height": 20}
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES"}
    with rasterio.open(path, "w", driver="JP2OpenJPEG", count=1, dtype="uint16", **place, **lossless) as file:
        file.write(PIXELS, 1)
    pixels = read(RemoteFile(url=f"{range_server.url}/{path.name}"), config(range_server))
    np.testing.assert_array_equal(pixels, PIXELS)


# --- Tokens ---------------------------------------------------------------------------------------------------------

SECRET = "c2VjcmV0LXNpZ25hdHVyZQ"


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token(ends: Any, text: Any = f"sig={SECRET}") -> Answer:
    return as_json({"token": text, "msft:expiry": ends})


class Clock:
    """The time of day, moved by hand. It begins at a full second, as the ends of tokens are told in seconds."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("processing.raster.files.tokens.time.time", made)
    return made


@pytest.fixture
def files() -> Iterator[AnyServer]:
    """Gives anything that is asked for."""
    with AnyServer(NO_FILE) as server:
        yield server


def test_token_is_added_to_the_url_when_the_file_is_read(files: AnyServer) -> None:
    with AnyServer(token(iso(time.time() + 3600))) as tokens:
        settings = config(files, tokens)
        for query in ("", "?a=b"):
            source = RemoteFile(url=f"{files.url}/red.tif{query}", token_url=f"{tokens.url}/sentinel-2-l2a")
            ask(source, settings)
    assert [path for _, path, _ in files.asked] == [f"/red.tif?sig={SECRET}", f"/red.tif?a=b&sig={SECRET}"]
    assert [(method, path) for method, path, _ in tokens.asked] == [("GET", "/sentinel-2-l2a")]


def test_token_is_kept_until_shortly_before_it_ends(files: AnyServer, clock: Clock) -> None:
    ends = clock.now + 3600
    with AnyServer(token(iso(ends), "sig=one"), token(iso(ends + 7200), "sig=two")) as tokens:
        source = RemoteFile(url=f"{files.url}/red.tif", token_url=f"{tokens.url}/collection")
        for moment, asked in ((clock.now, 1), (ends - 600, 1), (ends - 1, 2), (ends + 5000, 2)):
            clock.now = moment
            ask(source, config(files, tokens))
            assert len(tokens.asked) == asked
    assert [path.partition("?")[2] for _, path, _ in files.asked] == ["sig=one", "sig=one", "sig=two", "sig=two"]


@pytest.mark.parametrize("life", [60, 0, -3600])
def test_token_that_ends_soon_is_fetched_once_in_some_seconds(files: AnyServer, clock: Clock, life: int) -> None:
    """It may be all that the host has to give, or our clock may be ahead of the host's."""
    with AnyServer(token(iso(clock.now + life))) as tokens:
        source = RemoteFile(url=f"{files.url}/red.tif", token_url=f"{tokens.url}/collection")
        for seconds, asked in ((0, 1), (2, 1), (8, 2), (1, 2)):
            clock.now += seconds
            ask(source, config(files, tokens))
            assert len(tokens.asked) == asked


def test_every_collection_has_its_own_token(files: AnyServer) -> None:
    ends = iso(time.time() + 3600)
    with AnyServer(token(ends, "sig=one"), token(ends, "sig=two")) as tokens:
        for name in ("sentinel-2-l2a", "landsat-c2-l2", "sentinel-2-l2a"):
            ask(RemoteFile(url=f"{files.url}/a.tif", token_url=f"{tokens.url}/{name}"), config(files, tokens))
    assert [path.partition("?")[2] for _, path, _ in files.asked] == ["sig=one", "sig=two", "sig=one"]


@pytest.mark.parametrize("ends", ["2090-01-01T00:00:00", "2090-01-01T00:00:00Z", "2090-01-01T02:00:00+02:00"])
def test_end_of_a_token_is_in_utc_unless_it_says_otherwise(files: AnyServer, clock: Clock, ends: str) -> None:
    with AnyServer(token(ends)) as tokens:
        source = RemoteFile(url=f"{files.url}/a.tif", token_url=tokens.url)
        for before, asked in ((601, 1), (600, 1), (1, 2)):
            clock.now = datetime(2090, 1, 1, tzinfo=UTC).timestamp() - before
            ask(source, config(files, tokens))
            assert len(tokens.asked) == asked


NO_TOKENS: dict[str, Answer] = {
    "no end": as_json({"token": "sig=x"}),
    "no token": as_json({"msft:expiry": "2090-01-01T00:00:00Z"}),
    "end is no time": token("soon"),
    "end is a number": token(5),
    "end is null": token(None),
    "token is null": token("2090-01-01T00:00:00Z", None),
    "token is a number": token("2090-01-01T00:00:00Z", 5),
    "token is a list": token("2090-01-01T00:00:00Z", ["sig=x"]),
    "token is empty": token("2090-01-01T00:00:00Z", ""),
    "token breaks the line": token("2090-01-01T00:00:00Z", "sig=x\r\nHost: elsewhere"),
    "token leaves the URL": token("2090-01-01T00:00:00Z", "sig=x HTTP/1.1"),
    "token cuts the URL": token("2090-01-01T00:00:00Z", "#sig=x"),
    "login page": content(LOGIN_PAGE, headers={"Content-Type": "text/html"}),
    "refused": status(403),
    "failing": status(503),
    "too many": status(429, Retry_After="600"),
}


@pytest.mark.parametrize("kind", sorted(NO_TOKENS))
def test_no_token_is_told_by_the_name_of_the_host(files: AnyServer, kind: str) -> None:
    with AnyServer(NO_TOKENS[kind]) as tokens, pytest.raises(ProviderUnavailable) as error:
        ask(RemoteFile(url=f"{files.url}/red.tif", token_url=tokens.url), config(files, tokens))
    assert error.value.details["host"] == tokens.host
    assert tokens.host in error.value.message
    assert files.asked == []


class TokenStore(RangeServer):
    """A store that gives its files for a token that has not ended, and the tokens: numbers, each good for an hour."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        super().__init__(folder)
        self.clock, self.ends, self.life = clock, dict[str, float](), 3600.0
        self.refused = 0
        self._server.RequestHandlerClass = type("Handler", (_TokenHandler, self._server.RequestHandlerClass), {})

    def issue(self) -> dict[str, str]:
        text = f"{SECRET}{len(self.ends)}"
        self.ends[text] = self.clock() + self.life
        return {"token": f"sig={text}", "msft:expiry": iso(self.ends[text])}


class _TokenHandler:
    def _serve(self: Any, *, with_body: bool) -> None:
        owner: TokenStore = self.server.owner
        parts = urlsplit(self.path)
        if parts.path == "/token/sentinel-2-l2a":
            return self._say(200, json.dumps(owner.issue()).encode())
        (sent,) = parse_qs(parts.query).get("sig", [""])
        if owner.ends.get(sent, 0) <= owner.clock():
            owner.refused += 1
            return self._say(403, b"")
        return super()._serve(with_body=with_body)  # type: ignore[misc,no-any-return]

    def _say(self: Any, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[TokenStore]:
    with TokenStore(tmp_path / "store", clock) as server:
        yield server


PC_NAME = "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531"


def planetary_item(red: str, nir: str) -> dict[str, Any]:
    properties = {
        "datetime": "2019-06-29T21:25:29Z",
        "platform": "Sentinel-2B",
        "s2:processing_baseline": "02.12",
        "s2:product_uri": PC_NAME.replace("_R043", "_N0212_R043") + ".SAFE",
    }
    assets = {"B04": {"href": red}, "B08": {"href": nir}}
    return {"type": "Feature", "id": PC_NAME, "properties": properties, "assets": assets}


def run_planetary(store: TokenStore, directory: Path, tick: Callable[[float], None] = lambda share: None) -> Product:
    """NDVI over the store's red.tif and nir.tif, as at Planetary Computer."""
    item = planetary_item(f"{store.url}/red.tif", f"{store.url}/nir.tif")
    with AnyServer(as_json({"features": [item], "links": []})) as catalogue:
        settings = config(
            store, catalogue, roots={"planetary-computer": [catalogue.url]}, token_root=f"{store.url}/token"
        )
        wanted = ndvi_request(PC_NAME)
        scene_id = SceneId(provider="planetary-computer", original_id=PC_NAME)
        request = type(wanted)(operation=wanted.operation, scene_ids=(scene_id,), params=wanted.params)
        return run(request, directory, tick, settings)


def numbers(rows: int, columns: int, seed: int) -> PixelArray:
    return np.random.default_rng(seed).integers(1, 10_000, (rows, columns), dtype=np.uint16)


@pytest.mark.parametrize("metres", [10, 20])
def test_job_that_outlives_its_token_goes_on_with_a_new_one(
    store: TokenStore, clock: Clock, tmp_path: Path, metres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time passes with every window of 1024 x 1024, so that tokens end while later windows are still to be read."""
    store.life = 300
    monkeypatch.setattr(windows, "_FETCHERS", 1)
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "nodata": 0}
    red, nir = numbers(9216, 1024, 1), numbers(9216 * 10 // metres, 1024 * 10 // metres, 2)
    if metres != 10:
        nir[:] = 5000  # the same however it is resampled
    write_tif(store.folder / "red.tif", red, **tiles)
    write_tif(store.folder / "nir.tif", nir, grid(nir.shape[1], nir.shape[0], metres), **tiles)

    def a_while_passes(share: float) -> None:
        clock.now += 50

    product = run_planetary(store, tmp_path, a_while_passes)
    wanted = np.full_like(red, 5000) if metres != 10 else nir
    expected = float_ndvi(red * 1e-4, wanted * 1e-4, np.ones(red.shape, bool))
    np.testing.assert_allclose(read_tif(product.path), expected, rtol=0, atol=1e-6)
    assert len(store.ends) >= 2
    assert store.refused == 0


def test_job_shorter_than_its_token_asks_for_one(store: TokenStore, tmp_path: Path) -> None:
    for name in ("red.tif", "nir.tif"):
        write_tif(store.folder / name, PIXELS)
    run_planetary(store, tmp_path)
    assert len(store.ends) == 1


def test_token_is_in_nothing_that_a_job_leaves_behind(
    store: TokenStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("red.tif", "nir.tif"):
        write_tif(store.folder / name, PIXELS)
    product = run_planetary(store, tmp_path)
    assert len(store.ends) == 1
    assert SECRET not in repr(product)
    assert SECRET.encode() not in product.path.read_bytes()
    with rasterio.open(product.path) as file:
        assert SECRET not in repr([file.tags(), file.tags(1), file.descriptions])
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


BAD_STORES: dict[str, Answer] = {
    "401": status(401),
    "404": status(404),
    "503": status(503),
    "login page": content(LOGIN_PAGE, headers={"Content-Type": "text/html"}),
    "garbage": content(b"certainly no TIFF" * 1000),
    "nothing": content(b""),
    "a TIFF that ends": content(b"II*\0\x08\0\0\0", 200),
    "cut": content(b"II*\0", 206, cut=10_000),
    "circle": redirect(f"/again.tif?sig={SECRET}"),
    "forbidden host": redirect(f"https://169.254.169.254/red.tif?sig={SECRET}"),
    "no host": redirect(f"http://[::1/red.tif?sig={SECRET}"),
    "other scheme": redirect(f"ftp://127.0.0.1/red.tif?sig={SECRET}"),
}


def told(error: BaseException) -> str:
    """All that a caller is told."""
    assert isinstance(error, RasterError)
    return f"{error} {error.message} {json.dumps(error.details)}"


@pytest.mark.parametrize("kind", sorted(BAD_STORES))
def test_token_is_in_no_error(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    refused = pytest.raises((SceneUnreadable, ProviderUnavailable))
    with AnyServer(BAD_STORES[kind]) as server, AnyServer(token("2090-01-01T00:00:00Z")) as tokens, refused as error:
        read(RemoteFile(url=f"{server.url}/red.tif", token_url=tokens.url), config(server, tokens))
    assert SECRET in server.asked[0][1]
    assert SECRET not in told(error.value)
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


@pytest.mark.parametrize(
    "href", ["http://[::1/red.tif", "http://127.0.0.1:99999/red.tif", "http://u:p@127.0.0.1/a.tif"]
)
def test_token_is_in_no_error_about_an_href_that_is_no_url(href: str) -> None:
    with AnyServer(token("2090-01-01T00:00:00Z")) as tokens, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=href, token_url=tokens.url), config(tokens))
    assert SECRET not in told(error.value)


# --- Buckets --------------------------------------------------------------------------------------------------------

ACCESS = S3Access(access_key="AKREADER", secret_key="of-the-reader", region="eu-central-1", requester_pays=True)
RESULTS = {
    "AWS_ACCESS_KEY_ID": "AKRESULTS",
    "AWS_SECRET_ACCESS_KEY": "of-our-results",
    "AWS_SESSION_TOKEN": "session-of-our-results",
}


class Bucket(RangeServer):
    """A store that speaks enough of S3 to be read. `headers` holds those of each request."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.headers: list[dict[str, str]] = []
        self._server.RequestHandlerClass = type("Handler", (_BucketHandler, self._server.RequestHandlerClass), {})


class _BucketHandler:
    def _serve(self: Any, *, with_body: bool) -> None:
        self.server.owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        super()._serve(with_body=with_body)  # type: ignore[misc]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Holds scenes/red.tif. The process has credentials of its own, which are not for scenes."""
    for name, value in RESULTS.items():
        monkeypatch.setenv(name, value)
    with Bucket(tmp_path / "buckets") as server:
        (server.folder / "scenes").mkdir()
        write_tif(server.folder / "scenes" / "red.tif", PIXELS)
        yield server


def scene_at(href: str, settings: Config, **alternate: str) -> Scene:
    others = {name: {"href": other} for name, other in alternate.items()}
    asset = {"href": href, "alternate": others}
    item = {"id": "LC08_X", "properties": {"platform": "landsat-8"}, "assets": {"red": asset}}
    sources = sources_of(item, settings.network)
    return Scene(id=SceneId(provider="landsat", original_id="LC08_X"), item=item, sources=sources)


def test_band_that_is_only_in_a_bucket_is_not_there_without_access() -> None:
    scene = scene_at("s3://usgs-landsat/collection02/B4.TIF", config())
    assert scene.sources == {}
    with pytest.raises(BandNotFound):
        resolve_band(scene, "red")


@pytest.mark.parametrize("href", ["s3://usgs-landsat/collection02/B4.TIF", "https://landsatlook.usgs.gov/B4.TIF"])
def test_band_is_read_from_its_bucket_where_there_is_access(href: str) -> None:
    scene = scene_at(href, config(s3=ACCESS), s3="s3://usgs-landsat/collection02/B4.TIF")
    assert resolve_band(scene, "red").source == S3File(bucket="usgs-landsat", key="collection02/B4.TIF")


@pytest.mark.parametrize(
    "href",
    ["s3://usgs-landsat/../other/B4.TIF", "s3://usgs-landsat/a/../../B4.TIF", "s3://usgs-landsat/B4.TIF?x=y",
     "s3://usgs-landsat/%2e%2e/B4.TIF", "s3://usgs-landsat/", "s3:///B4.TIF", "s3://b/B4.TIF",
     "S3://usgs-landsat/B4.TIF",
     "s3://usgs_landsat/B4.TIF", "s3://usgs-landsat/B4.TIF\n", "s3://usgs-landsat/a b.TIF",
     "/vsis3/usgs-landsat/B4.TIF",
     "s3://usgs-landsat/|B4.TIF", "s3://user@usgs-landsat/B4.TIF"],
)  # fmt: skip
def test_other_forms_of_a_bucket_are_no_source(href: str) -> None:
    assert scene_at(href, config(s3=ACCESS)).sources == {}


def test_reader_pays_with_the_credentials_that_the_operator_gave(bucket: Bucket) -> None:
    access = S3Access(access_key="AKREADER", secret_key="x", region="r", endpoint=bucket.url, requester_pays=True)
    pixels = read(S3File(bucket="scenes", key="red.tif"), config(s3=access))
    np.testing.assert_array_equal(pixels, PIXELS)
    for headers in bucket.headers:
        assert "Credential=AKREADER/" in headers["authorization"]
        assert headers["x-amz-request-payer"] == "requester"


def test_reader_does_not_pay_unless_the_operator_says_so(bucket: Bucket) -> None:
    access = S3Access(access_key="AKREADER", secret_key="x", region="r", endpoint=bucket.url)
    np.testing.assert_array_equal(read(S3File(bucket="scenes", key="red.tif"), config(s3=access)), PIXELS)
    assert bucket.headers
    assert all("x-amz-request-payer" not in headers for headers in bucket.headers)


def test_credentials_of_our_own_results_are_not_mixed_into_those_for_scenes(bucket: Bucket) -> None:
    access = S3Access(access_key="AKREADER", secret_key="x", region="r", endpoint=bucket.url)
    read(S3File(bucket="scenes", key="red.tif"), config(s3=access))
    assert bucket.headers
    assert not [value for headers in bucket.headers for value in headers.values() if "results" in value.lower()]


def test_nothing_of_a_bucket_is_read_without_access(bucket: Bucket) -> None:
    with pytest.raises(SceneUnreadable):
        read(S3File(bucket="scenes", key="red.tif"), config())
    assert bucket.headers == []


def test_secret_is_not_shown(bucket: Bucket) -> None:
    access = S3Access(access_key="AKREADER", secret_key="of-the-reader", endpoint=bucket.url)
    assert "of-the-reader" not in repr(config(s3=access))
    with pytest.raises(SceneUnreadable) as error:
        read(S3File(bucket="scenes", key="absent.tif"), config(s3=access))
    assert "of-the-reader" not in told(error.value)
