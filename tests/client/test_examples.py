"""The jobs of the published documentation, by the client in both kinds and by the command line."""

import asyncio
import json
from pathlib import Path

import pytest
import rasterio

from astra_client import Astra, AsyncAstra, Job
from tests.client.conftest import EARLIER_SCENE, SCENE, CommandLine
from tests.service.conftest import Service
from tests.service.instances import assert_strict_cog

CHANGE_PARAMS = {"threshold": 0.15, "bands": ["red", "nir", "swir16"]}
EXAMPLES = [("ndvi", SCENE, {"colormap": "rdylgn"}), ("change_detection", [EARLIER_SCENE, SCENE], CHANGE_PARAMS)]


@pytest.mark.parametrize(("operation", "scenes", "params"), EXAMPLES, ids=["ndvi", "change"])
def test_blocking_client_runs_and_downloads(
    astra: Astra, tmp_path: Path, operation: str, scenes: str | list[str], params: dict[str, object]
) -> None:
    progress: list[int] = []
    job = astra.run(operation, scenes, params, on_progress=lambda job: progress.append(job.progress))

    assert (job.status, job.progress, job["params"].items() >= params.items()) == ("completed", 100, True)
    assert progress == sorted(progress)
    path = astra.download(job, tmp_path / "result.tif")
    assert_strict_cog(path)


@pytest.mark.parametrize(("operation", "scenes", "params"), EXAMPLES, ids=["ndvi", "change"])
def test_async_client_does_the_same(
    service: Service, tmp_path: Path, operation: str, scenes: str | list[str], params: dict[str, object]
) -> None:
    async def run() -> tuple[Job, list[Job], Path]:
        async with AsyncAstra(service.key, f"{service.url}/api/v1") as astra:
            job = await astra.run(operation, scenes, params)
            found = [other async for other in astra.jobs(operation=operation)]
            return job, found, await astra.download(job, tmp_path / "result.tif")

    job, found, path = asyncio.run(run())
    assert job.status == "completed"
    assert job.job_id in [other.job_id for other in found]
    assert_strict_cog(path)


def test_ndvi_command_saves_a_cog_and_shows_statistics(command: CommandLine) -> None:
    done = command("ndvi", SCENE, "-o", "out.tif", "--colormap", "rdylgn")

    assert done.returncode == 0, done.stderr
    assert "Saved as out.tif" in done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {"minimum", "maximum", "mean", "stddev"}
    assert command.files == {"out.tif"}
    assert_strict_cog(command.folder / "out.tif")


def test_change_command_shows_the_hectares_of_each_class(command: CommandLine) -> None:
    options = ("--threshold", "0.15", "--bands", "red,nir,swir16")
    done = command("change", EARLIER_SCENE, SCENE, "-o", "map.tif", *options)

    assert done.returncode == 0, done.stderr
    assert "hectares" in done.stdout
    for name in ("no change", "vegetation gain", "vegetation loss", "built-up gain", "water change"):
        assert name in done.stdout
    assert_strict_cog(command.folder / "map.tif")


def test_aoi_of_a_gis_file_cuts_the_result(command: CommandLine, completed: Job) -> None:
    west, south, east, north = completed["result"]["bbox"]
    ring = [
        (west + share_x * (east - west), south + share_y * (north - south))
        for share_x, share_y in ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.4))
    ]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (command.folder / "farm.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))

    done = command("ndvi", SCENE, "-o", "farm.tif", "--colormap", "rdylgn", "--aoi", "farm.geojson")

    assert done.returncode == 0, done.stderr
    with rasterio.open(command.folder / "farm.tif") as file:
        height, width = completed["result"]["proj:shape"]
        assert 0 < file.width < width / 2
        assert 0 < file.height < height / 2


def test_submit_wait_and_get_are_the_same_in_steps(command: CommandLine) -> None:
    body = {"operation": "ndvi", "scene_ids": ["sentinel-2:TEST_OK"]}
    (command.folder / "file.json").write_text(json.dumps(body))

    job_id = command("submit", "file.json").stdout.strip()
    waited = command("wait", job_id, "--json")
    got = command("get", job_id, "-o", "out.tif")

    assert json.loads(waited.stdout)["job_id"] == job_id
    assert (waited.returncode, got.returncode) == (0, 0)
    assert_strict_cog(command.folder / "out.tif")


def test_json_is_all_that_stands_on_stdout(command: CommandLine, completed: Job) -> None:
    listed = json.loads(command("jobs", "--limit", "3", "--json").stdout)
    account = json.loads(command("account", "--json").stdout)
    scene = json.loads(command("--json", "scenes", SCENE).stdout)
    got = json.loads(command("get", completed.job_id, "-o", "out.tif", "--json").stdout)

    assert 1 <= len(listed["jobs"]) <= 3
    assert account["plan"] == "scale"
    assert scene["type"] == "Feature"
    assert got["result"]["statistics"] == completed["result"]["statistics"]


@pytest.mark.parametrize("arguments", [("jobs",), ("account",), ("scenes", SCENE)], ids=lambda words: words[0])
def test_people_get_tables(command: CommandLine, arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2
    assert "{" not in done.stdout


def test_list_goes_on_over_all_pages(astra: Astra) -> None:
    submitted = [astra.submit("ndvi", "sentinel-2:TEST_NOT_FOUND").job_id for _ in range(22)]
    found = [job.job_id for job in astra.jobs(operation="ndvi")]
    assert set(submitted) <= set(found)
    assert len(found) == len(set(found))


def test_result_opens_where_it_lies(completed: Job, astra: Astra) -> None:
    job = astra.job(completed)
    with job.open() as dataset:
        assert [dataset.height, dataset.width] == job["result"]["proj:shape"]
        assert dataset.read(1, window=((0, 10), (0, 10))).shape == (10, 10)
