"""dry_run in a submit: what the job would do or how it would end, beside what it does and how it ends."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from astra.starting import BY_MANAGE
from processing.api.places import LOOK_UPS
from processing.execution import execute
from processing.http import retry
from processing.models import IdempotencyKey, Job, JobEvent
from tests.answers import Answer, assert_error, client_with
from tests.processing.jobs import SCENE, URL, claim_again, take_messages
from tests.raster.support.memories import forget_hosts
from tests.raster.support.misbehaving import SLOW_BODY, AnyServer, as_json
from tests.raster.support.served_catalogues import stored_item

ROOT = Path(__file__).resolve().parents[3]
BEFORE = "sentinel-2:S2B_MSIL2A_20240715T184929"
OK, NO_OVERLAP = "sentinel-2:TEST_OK", "sentinel-2:TEST_NO_OVERLAP"
PRODUCT = "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
TPS = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"

pytestmark = pytest.mark.usefixtures("sandbox_of_jobs")


def ndvi(*scene_ids: str, **params: Any) -> dict[str, Any]:
    return {"operation": "ndvi", "scene_ids": list(scene_ids or (SCENE,)), "params": params}


def change(*scene_ids: str, **params: Any) -> dict[str, Any]:
    return {"operation": "change_detection", "scene_ids": list(scene_ids), "params": params}


def try_out(client: APIClient, body: dict[str, Any], **headers: str) -> Answer:
    return client.post(URL, {**body, "dry_run": True}, format="json", headers=headers)


def job_of(client: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    """The body of the job without `dry_run`, after a worker had it."""
    job_id = client.post(URL, body, format="json").json()["job_id"]
    execute(claim_again(Job.objects.get(pk=job_id)))
    return dict(client.get(f"{URL}/{job_id}").json())


JOBS = [
    ndvi(),
    ndvi(colormap="rdylgn"),
    ndvi(aoi=[-122.5, 37.6, -122.45, 37.65]),
    ndvi(aoi=[-123.0, 37.6, -122.5, 37.65]),
    change(BEFORE, SCENE, aoi={"type": "Polygon", "coordinates": [[[-122.5, 37.6], [-122.4, 37.6], [-122.4, 37.7],
                                                                    [-122.5, 37.6]]]}),
]  # fmt: skip


@pytest.mark.parametrize("body", JOBS)
def test_answer_foretells_the_result(api: APIClient, body: dict[str, Any]) -> None:
    answer = try_out(api, body)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    job = job_of(api, body)
    result = job["result"]
    assert told["dry_run"] is True
    assert told["grid"] == {name: result[name] for name in ("proj:code", "proj:shape", "gsd")}
    assert told["pixels"] == result["proj:shape"][0] * result["proj:shape"][1]
    assert result["file:size"] < told["estimated_bytes"]
    assert set(told["warnings"]) <= set(job["warnings"])
    assert [scene["id"] for scene in told["scenes"]] == body["scene_ids"]
    assert told["limits"]["pixels_per_job"] > told["pixels"]


def test_answer_has_exactly_these_fields(api: APIClient) -> None:
    told = try_out(api, ndvi()).json()
    assert set(told) == {
        "dry_run", "scenes", "grid", "pixels", "estimated_seconds", "estimated_bytes", "warnings", "limits"
    }  # fmt: skip
    (scene,) = told["scenes"]
    assert scene == api.get(f"/api/v1/scenes/{SCENE}").json()


def test_nothing_is_written_and_no_key_is_used_up(api: APIClient) -> None:
    try_out(api, ndvi(), **{"Idempotency-Key": "order-1"})
    for model in (Job, JobEvent, IdempotencyKey):
        assert not model.objects.exists()
    assert take_messages() == []
    answer = api.post(URL, ndvi(), format="json", headers={"Idempotency-Key": "order-1"})
    assert answer.status_code == 202


FAILURES = [
    (ndvi("sentinel-2:TEST_NOT_FOUND"), 404, "SCENE_NOT_FOUND"),
    (ndvi("sentinel-2:S2B_MSIL2A_20010115T184929"), 404, "SCENE_NOT_FOUND"),
    (ndvi("sentinel-2:TEST_AMBIGUOUS"), 409, "AMBIGUOUS_SCENE_ID"),
    (ndvi("sentinel-2:TEST_PROVIDER_DOWN"), 503, "PROVIDER_UNAVAILABLE"),
    (change(OK, NO_OVERLAP), 422, "SCENES_DO_NOT_OVERLAP"),
    (change(OK, SCENE), 422, "SAME_SCENE_TWICE"),
    (change(BEFORE, SCENE, bands=["red", "nir", "cirrus"]), 422, "BAND_NOT_FOUND"),
    (ndvi(aoi=[10.0, 50.0, 11.0, 51.0]), 422, "AOI_OUTSIDE_SCENE"),
]


@pytest.mark.parametrize(("body", "status", "code"), FAILURES)
def test_error_is_the_one_that_the_job_ends_with(
    api: APIClient, settings: Settings, body: dict[str, Any], status: int, code: str
) -> None:
    settings.JOB_ATTEMPTS = 1
    error = assert_error(try_out(api, body), status, code)
    assert error == job_of(api, body)["error"]


def test_result_that_is_too_large_is_refused_as_the_job_refuses_it(api: APIClient, settings: Settings) -> None:
    settings.PLAN_LIMITS = {
        **settings.PLAN_LIMITS,
        "scale": replace(settings.PLAN_LIMITS["scale"], pixels_per_job=10**5),
    }
    error = assert_error(try_out(api, ndvi()), 422, "SCENE_TOO_LARGE")
    assert job_of(api, ndvi())["error"]["code"] == error["code"]
    assert try_out(api, ndvi(aoi=[-122.5, 37.6, -122.49, 37.61])).status_code == 200


@pytest.mark.parametrize("name", ["TEST_OK", "TEST_UNREADABLE", "TEST_NO_DATA", "TEST_CLOUDY"])
def test_what_only_pixels_show_is_not_foretold(api: APIClient, name: str) -> None:
    assert try_out(api, ndvi(f"sentinel-2:{name}")).status_code == 200


def test_seconds_are_those_that_such_jobs_took_and_no_fewer_than_the_scene_takes(api: APIClient) -> None:
    quick = try_out(api, ndvi()).json()["estimated_seconds"]
    slow = try_out(api, ndvi("sentinel-2:TEST_SLOW")).json()["estimated_seconds"]
    assert 0 < quick < slow


@pytest.mark.parametrize("wanted", ["true", 1, 0, [], {}])
def test_other_values_are_refused(api: APIClient, wanted: Any) -> None:
    answer = api.post(URL, {**ndvi(), "dry_run": wanted}, format="json")
    error = assert_error(answer, 400, "VALIDATION_ERROR")
    assert [fault["parameter"] for fault in error["details"]["errors"]] == ["dry_run"]


@pytest.mark.parametrize("wanted", [False, None])
def test_submit_without_it_is_a_job(api: APIClient, wanted: Any) -> None:
    assert api.post(URL, {**ndvi(), "dry_run": wanted}, format="json").status_code == 202


def test_wrong_body_is_refused_as_without_it(api: APIClient) -> None:
    body = ndvi(colour="red")
    assert try_out(api, body).json() == api.post(URL, body, format="json").json()


# --- Live keys -------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(live_key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    settings.PRIVATE_HOSTS = frozenset({"127.0.0.1"})
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))
    forget_hosts(monkeypatch)
    return client_with(live_key)


def use(settings: Settings, root: str) -> None:
    settings.STAC_ROOTS = {**settings.STAC_ROOTS, "sentinel-2": [root]}


def test_real_item_says_its_grid(live: APIClient, settings: Settings, shared_data: Path) -> None:
    with AnyServer(as_json({"features": [stored_item(shared_data, TPS)], "links": []})) as server:
        use(settings, server.url)
        told = try_out(live, ndvi(f"sentinel-2:{PRODUCT}")).json()
    assert told["grid"] == {"proj:code": "EPSG:32632", "proj:shape": [10980, 10980], "gsd": 10.0}
    assert told["estimated_bytes"] > 4 * told["pixels"]


def test_item_that_says_no_grid_leaves_the_size_open(live: APIClient, settings: Settings, shared_data: Path) -> None:
    item = stored_item(shared_data, TPS)
    for asset in item["assets"].values():
        asset.pop("proj:transform", None)
    with AnyServer(as_json({"features": [item], "links": []})) as server:
        use(settings, server.url)
        told = try_out(live, ndvi(f"sentinel-2:{PRODUCT}")).json()
    assert told["grid"] == {"proj:code": None, "proj:shape": None, "gsd": None}
    assert (told["pixels"], told["estimated_bytes"]) == (None, None)
    assert len(told["warnings"]) == 1


def test_dripping_catalogue_costs_five_seconds(live: APIClient, settings: Settings) -> None:
    with AnyServer(SLOW_BODY) as server:
        use(settings, server.url)
        began = time.monotonic()
        answer = try_out(live, ndvi(f"sentinel-2:{PRODUCT}"))
        assert time.monotonic() - began < 8
    assert_error(answer, 503, "PROVIDER_UNAVAILABLE")


def test_no_place_is_left_beside_those_who_look_scenes_up(live: APIClient, api: APIClient) -> None:
    with ExitStack() as others:
        while others.enter_context(LOOK_UPS.one()):
            pass
        answer = try_out(live, ndvi(f"sentinel-2:{PRODUCT}"))
        assert try_out(api, ndvi()).status_code == 200, "the sandbox waits for nobody"
    assert_error(answer, 503, "SERVICE_UNAVAILABLE")
    assert int(answer["Retry-After"]) > 0


def test_live_key_tries_out_no_forced_outcome(live: APIClient) -> None:
    assert_error(try_out(live, ndvi(OK)), 400, "INVALID_ID_FORMAT")


PROGRAM = """
import sys
from pathlib import Path
import astra.wsgi
from django.conf import settings
from django.core.cache import cache
from processing.api.dry_run import dry_run
from processing.api.durations import Done
from processing.api.submit_request import SubmitRequest

settings.SANDBOX_DIR = Path(sys.argv[1])
cache.set("done:change_detection:test", [Done(megapixels=4.0, gsd=10.0, seconds=1.0)])  # in place of a database
body = {"operation": "change_detection", "scene_ids": sys.argv[2:],
        "params": {"aoi": [-122.5, 37.6, -122.4, 37.7]}, "dry_run": True}
told = dry_run(SubmitRequest.parse(body, in_sandbox=True), use_sandbox=True)
assert told["pixels"] > 0
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("rasterio", "osgeo", "fiona", "pyproj")))
"""


def test_web_process_tries_out_without_loading_gdal(tmp_path: Path, sandbox: Path) -> None:
    ours = {"ASTRA_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "astra.settings", BY_MANAGE: "1"}
    environment = {**os.environ, **ours}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(sandbox), BEFORE, SCENE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
