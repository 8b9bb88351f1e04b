"""Exit codes of the command line, and no file unless it is 0."""

import json

import pytest

from tests.client.conftest import SCENE, CommandLine
from tests.client.proxy import Proxy, Trouble, garbles, refuses
from tests.servers import free_port

NDVI = ("ndvi", SCENE, "-o", "out.tif")


@pytest.mark.parametrize(
    ("scene", "code"),
    [
        ("TEST_NOT_FOUND", "SCENE_NOT_FOUND"),
        ("TEST_UNREADABLE", "SCENE_UNREADABLE"),
        ("TEST_NO_DATA", "NO_VALID_PIXELS"),
    ],
)
def test_1_job_failed(command: CommandLine, scene: str, code: str) -> None:
    done = command("ndvi", f"sentinel-2:{scene}", "-o", "out.tif", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == code
    assert code in done.stderr
    assert command.files == set()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("ndvi", SCENE),
        ("ndvi", "-o", "out.tif"),
        (*NDVI, "--no-such-option"),
        (*NDVI, "--aoi", "no-such-file.geojson"),
        (*NDVI, "--mask-dilation", "wide"),
        ("ndvi", SCENE, "-o", "no/such/folder/out.tif"),
        ("ndvi", SCENE, "-o", "."),
        ("submit", "no-such-file.json"),
        ("submit", "broken.json"),
        ("completion", "no-such-shell"),
    ],
    ids=" ".join,
)
def test_2_usage(command: CommandLine, proxy: Proxy, arguments: tuple[str, ...]) -> None:
    (command.folder / "broken.json").write_text("{")
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert command.files == {"broken.json"}
    assert proxy.seen == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*NDVI, "--colormap", "rainbow"), "VALIDATION_ERROR"),
        (("ndvi", "nonsense", "-o", "out.tif"), "INVALID_ID_FORMAT"),
        (("change", SCENE, SCENE, "-o", "out.tif"), "VALIDATION_ERROR"),
        (("get", "job_nonesuch", "-o", "out.tif"), "NOT_FOUND"),
        (("wait", "job_nonesuch"), "NOT_FOUND"),
        (("cancel", "job_nonesuch"), "NOT_FOUND"),
        (("scenes", "sentinel-2:TEST_NOT_FOUND"), "SCENE_NOT_FOUND"),
        (("jobs", "--status", "lost"), "VALIDATION_ERROR"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_2_refused(command: CommandLine, arguments: tuple[str, ...], code: str) -> None:
    done = command(*arguments, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == code
    assert code in done.stderr
    assert command.files == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ASTRA_API_KEY", ""), ("ASTRA_API_KEY", "astra_sk_test_wrong"), ("ASTRA_API_URL", "ftp://astra.example")],
)
def test_2_wrong_settings(command: CommandLine, name: str, value: str) -> None:
    command.environment[name] = value
    done = command(*NDVI)
    assert (done.returncode, done.stdout) == (2, "")
    assert command.files == set()


@pytest.mark.parametrize(
    "arguments", [NDVI, ("get", "job_nonesuch", "-o", "out.tif", "--json")], ids=["done", "refused"]
)
def test_2_nobody_reads_the_answer(command: CommandLine, arguments: tuple[str, ...]) -> None:
    process = command.start(*arguments)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert "Traceback" not in errors
    assert command.files == set()


def test_3_unreachable(command: CommandLine) -> None:
    command.environment["ASTRA_API_URL"] = f"http://127.0.0.1:{free_port()}"
    done = command("--patience", "1", *NDVI, "--json")
    assert done.returncode == 3
    assert "Trying again" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "UNREACHABLE"
    assert command.files == set()


@pytest.mark.parametrize(
    ("method", "path", "trouble"),
    [
        ("POST", "/process", refuses(503, "3600")),
        ("POST", "/process", refuses(429, "3600")),
        ("GET", "/process/", refuses(500, "3600")),
        ("GET", "/files/", refuses(503, "3600")),
    ],
    ids=["submit 503", "submit 429", "poll 500", "file 503"],
)
def test_3_refused_for_now(command: CommandLine, proxy: Proxy, method: str, path: str, trouble: Trouble) -> None:
    proxy.on(method, path, trouble)
    done = command("ndvi", "sentinel-2:TEST_OK", "-o", "out.tif")
    assert done.returncode == 3
    assert "Later, please." in done.stderr
    assert command.files == set()


def test_3_file_that_arrives_wrong(command: CommandLine, proxy: Proxy) -> None:
    proxy.on("GET", "/files/", garbles)
    done = command("ndvi", "sentinel-2:TEST_OK", "-o", "out.tif")
    assert done.returncode == 3
    assert "CORRUPT_DOWNLOAD" in done.stderr
    assert command.files == set()


def test_cancelled_job_is_done_for_cancel_and_failed_for_wait(command: CommandLine) -> None:
    (command.folder / "slow.json").write_text('{"operation": "ndvi", "scene_ids": ["sentinel-2:TEST_SLOW"]}')
    job_id = command("submit", "slow.json").stdout.strip()
    assert [command(name, job_id).returncode for name in ("cancel", "cancel", "wait")] == [0, 2, 1]
