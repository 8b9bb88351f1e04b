"""Links to results, as a browser, a downloader and GDAL use them."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pytest
import rasterio
import requests
from rasterio.windows import Window

from tests.servers import HttpServer

from .conftest import Service
from .instances import stored_cog


class Relay(HttpServer):
    """Passes GET and HEAD on to `target`, and counts the bytes of the bodies that come back."""

    def __init__(self, target: str) -> None:
        self.target, self.bytes_passed = target, 0
        super().__init__(_RelayHandler)


class _RelayHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        owner: Relay = self.server.owner  # type: ignore[attr-defined]
        asked = {"Range": self.headers["Range"]} if "Range" in self.headers else {}
        answer = requests.request(self.command, owner.target + self.path, headers=asked, timeout=10)
        owner.bytes_passed += len(answer.content)
        self.send_response(answer.status_code)
        for name in ("Content-Length", "Content-Range", "Accept-Ranges", "Content-Type", "ETag", "Last-Modified"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.end_headers()
        self.wfile.write(answer.content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def job(service: Service) -> dict[str, Any]:
    """A completed job of raw NDVI values."""
    return service.wait_for(service.submit()["job_id"])


@pytest.fixture(scope="module")
def content(service: Service, job: dict[str, Any]) -> bytes:
    """The bytes of its stored file."""
    return stored_cog(service, job["job_id"]).read_bytes()


@pytest.fixture
def relay(service: Service) -> Iterator[Relay]:
    with Relay(service.url) as running:
        yield running


def test_gdal_reads_a_window_and_an_overview_without_the_whole_file(
    service: Service, job: dict[str, Any], content: bytes, relay: Relay
) -> None:
    link = job["result"]["href"].replace(service.url, relay.url)
    stored = stored_cog(service, job["job_id"])
    window, small = Window(512, 512, 256, 256), (256, 256)

    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        with rasterio.open(f"/vsicurl/{link}") as remote:
            assert remote.overviews(1)
            part, overview = remote.read(1, window=window), remote.read(1, out_shape=small)
        with rasterio.open(stored) as local:
            np.testing.assert_array_equal(part, local.read(1, window=window))
            np.testing.assert_array_equal(overview, local.read(1, out_shape=small))

    assert 0 < relay.bytes_passed < len(content) / 2


def test_whole_download_is_the_stored_file(job: dict[str, Any], content: bytes) -> None:
    answer = requests.get(job["result"]["href"], timeout=10)

    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["Content-Type"] == job["result"]["type"]
    assert 'filename="ndvi_S2B_20250115_job_' in answer.headers["Content-Disposition"]


def test_head_shows_the_size_and_that_ranges_work(job: dict[str, Any], content: bytes) -> None:
    answer = requests.head(job["result"]["href"], timeout=10)

    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(content) == job["result"]["file:size"]
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=-100", "bytes=0-99", "bytes=1000-1099"])
def test_range_returns_that_part(job: dict[str, Any], content: bytes, wanted: str) -> None:
    answer = requests.get(job["result"]["href"], headers={"Range": wanted}, timeout=10)

    first = len(content) - 100 if wanted == "bytes=-100" else int(wanted[6:].partition("-")[0])
    assert answer.status_code == 206
    assert answer.content == content[first : first + 100]
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + 99}/{len(content)}"


def test_range_behind_the_end_answers_416_with_the_size(job: dict[str, Any], content: bytes) -> None:
    answer = requests.get(job["result"]["href"], headers={"Range": f"bytes={len(content)}-"}, timeout=10)

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"
    assert answer.json()["error"]["message"]


def test_tampered_link_answers_403(service: Service, job: dict[str, Any]) -> None:
    link = job["result"]["href"]
    path, _, signature = link.rpartition("sig=")
    other_signature = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    expires = path.partition("expires=")[2].partition("&")[0]
    tampered = [
        f"{path}sig={other_signature}",
        link.replace(f"expires={expires}", f"expires={int(expires) + 3600}"),
        link.replace(job["job_id"], "job_" + "A" * 22),
        link.partition("?")[0],
    ]

    for changed in tampered:
        answer = requests.get(changed, timeout=10)
        assert answer.status_code == 403, changed
        assert answer.json()["error"]["code"] == "FORBIDDEN"
    assert requests.get(link, timeout=10).status_code == 200
