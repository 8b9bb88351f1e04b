"""Downloads: taken up where they broke, checked, and whole or not there."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from astra_client import Astra, AsyncAstra, Job, errors
from astra_client.client import ignore
from astra_client.download import PartialFile
from tests.client.proxy import Proxy, both, cuts, garbles, refuses, sends_header
from tests.service.conftest import Service

AFTER = 100_000


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_is_result(path: Path, job: Job) -> None:
    content = path.read_bytes()
    assert len(content) == job["result"]["file:size"] > 3 * AFTER
    assert job["result"]["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
    assert files_of(path.parent) == [path.name]


def test_broken_download_is_taken_up_where_it_broke(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", cuts(AFTER), cuts(AFTER))
    received: list[tuple[int, int]] = []

    path = astra.download(completed, tmp_path / "out.tif", on_bytes=lambda *bytes_: received.append(bytes_))

    assert_is_result(path, completed)
    asked = [seen.headers.get("range") for seen in proxy.requests("GET", "/files/")]
    assert asked == [None, f"bytes={AFTER}-", f"bytes={2 * AFTER}-"]
    assert received == sorted(received)
    assert received[-1] == (completed["result"]["file:size"],) * 2


def test_async_download_does_the_same(service: Service, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", cuts(AFTER))

    async def download() -> Path:
        async with AsyncAstra(service.key, proxy.url) as astra:
            return await astra.download(completed.job_id, tmp_path / "out.tif")

    assert_is_result(asyncio.run(download()), completed)
    assert [seen.headers.get("range") for seen in proxy.requests("GET", "/files/")] == [None, f"bytes={AFTER}-"]


def test_file_of_another_version_is_fetched_from_its_start(
    astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path
) -> None:
    proxy.on("GET", "/files/", both(sends_header("etag", '"another"'), cuts(AFTER)))
    assert_is_result(astra.download(completed, tmp_path / "out.tif"), completed)
    again = proxy.requests("GET", "/files/")[1]
    assert again.headers["if-range"] == '"another"'


def test_weak_etag_promises_nothing(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", both(sends_header("etag", 'W/"weak"'), cuts(AFTER)))
    assert_is_result(astra.download(completed, tmp_path / "out.tif"), completed)
    assert [seen.headers.get("range") for seen in proxy.requests("GET", "/files/")] == [None, None]


def test_download_gets_through_a_restart(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", cuts(AFTER), proxy.restarts(1))
    assert_is_result(astra.download(completed, tmp_path / "out.tif"), completed)


def test_wrong_bytes_are_not_kept(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    (tmp_path / "out.tif").write_text("what was there")
    proxy.on("GET", "/files/", garbles)
    with pytest.raises(errors.CorruptDownload, match="SHA-256"):
        astra.download(completed, tmp_path / "out.tif")
    assert files_of(tmp_path) == ["out.tif"]
    assert (tmp_path / "out.tif").read_text() == "what was there"


def test_host_that_never_goes_on_is_given_up(service: Service, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", cuts(AFTER), *[refuses(503)] * 100)
    with Astra(service.key, proxy.url, patience=0.2) as astra, pytest.raises(errors.ServiceUnavailable):
        astra.download(completed, tmp_path / "out.tif")
    assert files_of(tmp_path) == []


def test_link_that_is_refused_is_an_error(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    proxy.on("GET", "/files/", refuses(403))
    with pytest.raises(errors.Forbidden):
        astra.download(completed, tmp_path / "out.tif")
    assert files_of(tmp_path) == []


def test_job_without_a_file_is_named(astra: Astra, tmp_path: Path) -> None:
    job = astra.submit("ndvi", "sentinel-2:TEST_NOT_FOUND")
    with pytest.raises(errors.NoResult):
        astra.download(job, tmp_path / "out.tif")


@pytest.mark.parametrize("path", ["", "no/such/folder/out.tif"], ids=["a folder", "in no folder"])
def test_place_that_cannot_be_written_is_named(astra: Astra, completed: Job, tmp_path: Path, path: str) -> None:
    with pytest.raises(errors.CannotWrite):
        astra.download(completed, tmp_path / path)
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    "changes",
    [{"file:size": 200_000}, {"file:checksum": "1220" + "0" * 64}, {"file:checksum": "d50110" + "0" * 32}],
    ids=["longer than named", "another checksum", "not a SHA-256"],
)
def test_file_that_is_not_the_named_one_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    result = {"file:size": 3 * AFTER, "file:checksum": None, **changes}
    with pytest.raises(errors.CorruptDownload):
        save_zeros(tmp_path / "out.tif", result)
    assert files_of(tmp_path) == []


def save_zeros(path: Path, result: dict[str, object]) -> None:
    with PartialFile(path, result, ignore) as file:
        for _ in range(3):
            file.write(bytes(AFTER))
        file.keep()
