"""GET /api/v1/process/{job_id}/item: the result as a STAC Item that catalogues and GIS programs take.

The core is validated by the schema that pystac carries. No package carries the schemas of the extensions, so a table
here says what they require of the fields that are used.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

import pystac
import pytest
import rasterio
import rasterio.warp
import shapely
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.stac_object import STACObjectType
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from rasterio.io import MemoryFile
from rest_framework.test import APIClient

from accounts.models import ApiKey
from astra import __version__
from processing.execution import execute
from processing.models import Job
from processing.raster.types import COG_MEDIA_TYPE
from tests.answers import assert_error, client_with
from tests.processing.clock import Clock
from tests.processing.jobs import SCENE, URL, another_key, claimed, completed, failed, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox_of_jobs")]

AOI = [-122.55, 37.72, -122.5, 37.75]
PAIR = ["sentinel-2:S2B_MSIL2A_20240715T184929", SCENE]
JOBS: dict[str, dict[str, Any]] = {
    "ndvi": {"params": {"aoi": AOI}},
    "ndvi in colours": {"params": {"aoi": AOI, "colormap": "viridis"}},
    "change": {"operation": "change_detection", "scene_ids": PAIR, "params": {"aoi": AOI}},
}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_time(value: Any) -> bool:
    return isinstance(value, str) and value.endswith("Z") and bool(datetime.fromisoformat(value))


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def all_of(check: Callable[[Any], bool], *lengths: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) in lengths and all(map(check, value))


def are_classes(value: Any) -> bool:
    """Classification 2.0: value and name are required, names have no spaces, colours no #."""
    fields: dict[str, Callable[[Any], bool]] = {
        "value": lambda found: isinstance(found, int),
        "name": matches("[0-9A-Za-z_-]+"),
        "description": is_text,
        "color_hint": matches("[0-9A-F]{6}"),
        "nodata": lambda found: isinstance(found, bool),
    }
    return all({"value", "name"} <= set(each) and all(fields[name](each[name]) for name in each) for each in value)


# Extension, version, where its fields stand, and what each must be.
EXTENSIONS: dict[str, tuple[str, dict[str, Callable[[Any], bool]]]] = {
    "projection/v2.0.0": (
        "properties",
        {
            "proj:code": matches("[A-Z]+:[0-9]+"),
            "proj:shape": all_of(lambda side: isinstance(side, int) and side > 0, 2),
            "proj:transform": all_of(is_number, 6, 9),
        },
    ),
    "processing/v1.2.0": (
        "properties",
        {
            "processing:software": lambda value: all(map(is_text, [*value, *value.values()])),
            "processing:version": is_text,
            "processing:lineage": is_text,
        },
    ),
    "timestamps/v1.1.0": ("properties", {"expires": is_time}),
    "file/v2.1.0": (
        "asset",
        {"file:size": lambda value: isinstance(value, int) and value >= 0, "file:checksum": matches("[a-f0-9]+")},
    ),
    "raster/v2.0.0": ("band", {"raster:scale": is_number, "raster:offset": is_number}),
    "classification/v2.0.0": ("band", {"classification:classes": are_classes}),
}


@pytest.fixture(params=JOBS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def job(key: ApiKey, name: str) -> Job:
    done = claimed(key, **JOBS[name])
    execute(done)
    done.refresh_from_db()
    assert done.status == "completed", done.error
    return done


@pytest.fixture
def item(api: APIClient, job: Job) -> dict[str, Any]:
    answer = api.get(f"{URL}/{job.pk}/item")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/geo+json"
    return dict(json.loads(answer.content))


def content_of(api: APIClient, item: dict[str, Any]) -> bytes:
    href = item["assets"]["data"]["href"]
    return b"".join(api.get(href.removeprefix("http://testserver")).streaming_content)  # type: ignore[attr-defined]


def test_item_is_valid_by_the_core_schema(item: dict[str, Any]) -> None:
    JsonSchemaSTACValidator().validate_core(item, STACObjectType.ITEM, "1.1.0")


def test_core_schema_refuses_an_item_without_its_times(item: dict[str, Any]) -> None:
    for field in ("datetime", "start_datetime"):
        item["properties"].pop(field, None)
    with pytest.raises(pystac.STACValidationError):
        JsonSchemaSTACValidator().validate_core(item, STACObjectType.ITEM, "1.1.0")


def test_fields_of_extensions_are_as_their_schemas_want_them(item: dict[str, Any]) -> None:
    asset = item["assets"]["data"]
    places = {"properties": item["properties"], "asset": asset, "band": asset["bands"][0]}
    for place, fields in EXTENSIONS.values():
        wrong = [field for field, fits in fields.items() if field in places[place] and not fits(places[place][field])]
        assert wrong == []
    known = {field for _, fields in EXTENSIONS.values() for field in fields}
    used = {field for place in places.values() for field in place if ":" in field and not field.startswith("astra:")}
    assert used <= known


def test_item_names_exactly_the_extensions_whose_fields_it_has(item: dict[str, Any], name: str) -> None:
    used = set(EXTENSIONS) - ({"classification/v2.0.0"} if name != "change" else set())
    used -= {"raster/v2.0.0"} if name != "ndvi in colours" else set()
    assert set(item["stac_extensions"]) == {f"https://stac-extensions.github.io/{each}/schema.json" for each in used}


def test_pystac_reads_the_item(item: dict[str, Any], job: Job) -> None:
    read = pystac.Item.from_dict(item)
    assert job.result is not None
    assert list(ProjectionExtension.ext(read).shape or ()) == job.result["proj:shape"]
    asset = read.assets["data"]
    assert FileExtension.ext(asset).size == job.result["file:size"]
    assert read.get_self_href() == f"http://testserver{URL}/{job.pk}/item"


def test_item_describes_the_file_of_its_asset(api: APIClient, item: dict[str, Any]) -> None:
    content, asset, properties = content_of(api, item), item["assets"]["data"], item["properties"]
    assert asset["type"] == COG_MEDIA_TYPE
    assert asset["roles"] == ["data"]
    assert asset["file:size"] == len(content)
    assert asset["file:checksum"] == "1220" + sha256(content).hexdigest()
    (band,) = asset["bands"]
    with MemoryFile(content) as memory, memory.open() as file:
        assert properties["proj:code"] == file.crs.to_string()
        assert properties["proj:shape"] == list(file.shape)
        assert properties["proj:transform"] == pytest.approx(list(file.transform)[:6])
        assert properties["gsd"] == file.res[0]
        assert band["data_type"] == file.dtypes[0]
        assert str(file.nodata).startswith(str(band["nodata"]))
        assert band.get("raster:scale", 1) == pytest.approx(file.scales[0])
        assert band.get("raster:offset", 0) == pytest.approx(file.offsets[0])
        bounds = rasterio.warp.transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    assert item["bbox"] == pytest.approx(list(bounds), abs=1e-4)
    assert shapely.geometry.shape(item["geometry"]).bounds == pytest.approx(tuple(item["bbox"]), abs=1e-5)


def test_statistics_of_the_band_are_those_of_the_result(item: dict[str, Any], name: str) -> None:
    found, of_result = item["assets"]["data"]["bands"][0]["statistics"], item["properties"]["astra:statistics"]
    names = {"minimum", "maximum", "mean", "stddev", "valid_percent"} if name == "ndvi" else {"valid_percent"}
    assert found == {name: of_result[name] for name in names}


@pytest.mark.parametrize("name", ["change"])
def test_classes_of_a_change_map_stand_at_its_band(item: dict[str, Any], job: Job) -> None:
    classes = item["assets"]["data"]["bands"][0]["classification:classes"]
    assert job.result is not None
    assert classes == job.result["classification:classes"]
    assert {each["value"]: each["name"] for each in classes}[2] == "vegetation_loss"


def test_times_are_those_of_the_scenes_and_of_the_job(item: dict[str, Any], job: Job, name: str) -> None:
    properties = item["properties"]
    if name == "change":
        assert properties["datetime"] is None
        times = (properties["start_datetime"], properties["end_datetime"])
        assert times == ("2024-07-15T18:56:01Z", "2025-01-15T18:56:01Z")
    else:
        assert properties["datetime"] == "2025-01-15T18:56:01Z"
    assert datetime.fromisoformat(properties["created"]) == job.completed_at
    assert datetime.fromisoformat(properties["expires"]) == job.expires_at


def test_software_and_its_versions_are_named(item: dict[str, Any]) -> None:
    properties = item["properties"]
    assert properties["processing:software"]["ASTRA"] == __version__ == properties["processing:version"]
    assert properties["processing:software"]["GDAL"] == rasterio.__gdal_version__


def test_item_links_to_the_items_that_it_was_made_of(api: APIClient, key: ApiKey) -> None:
    """Where a catalogue says where its item is; the provenance holds no query."""
    done = completed(key)
    href = "https://stac.example/collections/sentinel-2-l2a/items/a"
    scenes = [{"item_href": href, "datetime": "2025-01-15T18:56:01.5Z"}, {"item_href": None, "datetime": None}]
    Job.objects.filter(pk=done.pk).update(result={**(done.result or {}), "provenance": {"scenes": scenes}})
    item = json.loads(api.get(f"{URL}/{done.pk}/item").content)
    assert [link["href"] for link in item["links"] if link["rel"] == "derived_from"] == [href]
    assert item["properties"]["datetime"] == "2025-01-15T18:56:01.500000Z"


def test_result_of_an_older_version_is_a_valid_item(api: APIClient, key: ApiKey) -> None:
    """Its row knows no place and no time."""
    item = json.loads(api.get(f"{URL}/{completed(key).pk}/item").content)
    JsonSchemaSTACValidator().validate_core(item, STACObjectType.ITEM, "1.1.0")
    assert item["geometry"] is None
    assert "bbox" not in item


def test_item_of_an_unfinished_or_failed_job_is_a_conflict(api: APIClient, key: ApiKey) -> None:
    for job in (queued(key), claimed(key), failed(key)):
        error = assert_error(api.get(f"{URL}/{job.pk}/item"), 409, "CONFLICT")
        assert job.status in error["message"]


def test_item_of_an_expired_result_is_gone(api: APIClient, key: ApiKey, clock: Clock) -> None:
    job = completed(key)
    clock.move(days=2)
    assert_error(api.get(f"{URL}/{job.pk}/item"), 410, "EXPIRED")


def test_item_of_a_deleted_result_is_gone(api: APIClient, key: ApiKey) -> None:
    job = completed(key)
    job.forget_result()
    assert_error(api.get(f"{URL}/{job.pk}/item"), 410, "EXPIRED")


def test_item_of_another_account_is_not_found(key: ApiKey) -> None:
    _, text = another_key()
    assert_error(client_with(text).get(f"{URL}/{completed(key).pk}/item"), 404, "NOT_FOUND")


def test_item_of_no_job_is_not_found(api: APIClient) -> None:
    assert_error(api.get(f"{URL}/job_nothing/item"), 404, "NOT_FOUND")
    assert_error(api.get(f"{URL}/nonsense/item"), 404, "NOT_FOUND")


def test_item_needs_a_key(key: ApiKey) -> None:
    assert_error(APIClient().get(f"{URL}/{completed(key).pk}/item"), 401, "UNAUTHORIZED")
