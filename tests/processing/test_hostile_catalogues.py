"""Whatever a catalogue answers, a job has a named end, and the account's list can be shown.

The answers are those of a search, changed at random in their values and in their bytes. ASTRA_TEST_ANSWERS says how
many are tried, each by its own seed.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.execution import execute
from tests.processing.jobs import URL, claimed
from tests.raster.support.misbehaving import AnyServer, content
from tests.raster.support.rasters import write_tif
from tests.servers import RangeServer

pytestmark = pytest.mark.django_db(transaction=True)

TRIED = int(os.environ.get("ASTRA_TEST_ANSWERS", "80"))
PRODUCT = "S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616"
CODES = {
    "completed",
    "SCENE_NOT_FOUND",
    "AMBIGUOUS_SCENE_ID",
    "SCENE_UNREADABLE",
    "BAND_NOT_FOUND",
    "OFFSET_UNKNOWN",
    "PROVIDER_UNAVAILABLE",
    "NO_VALID_PIXELS",
    "SCENE_TOO_LARGE",
}
ODD_VALUES: list[Any] = [
    *(None, True, "", "x" * 20_000, "\0", "\ud800", "S2B_x", "../../etc/passwd", "https://[", "file:///etc/passwd"),
    *(0, -1, 1e308, -1e-308, 10**40, float("nan"), float("inf"), [], {}, [[]], {"a": {"b": []}}, ["x"] * 500),
]
Place = tuple[Any, Any]


def item(files: str) -> dict[str, Any]:
    band = {"scale": 0.0001, "offset": -0.1, "nodata": 0, "data_type": "uint16"}
    assets = {
        name: {"href": f"{files}/{name}.tif", "type": "image/tiff", "roles": ["data"], "raster:bands": [band]}
        for name in ("red", "nir")
    }
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "S2B_10SEG_20250115_0_L2A",
        "collection": "sentinel-2-l2a",
        "bbox": [-123.0, 37.8, -122.9, 37.9],
        "geometry": {"type": "Point", "coordinates": [-123.0, 37.9]},
        "properties": {
            "datetime": "2025-01-15T18:56:01Z",
            "platform": "sentinel-2b",
            "proj:epsg": 32610,
            "eo:cloud_cover": 1.5,
            "view:sun_elevation": 30.5,
            "sat:relative_orbit": 70,
            "s2:product_uri": f"{PRODUCT}.SAFE",
            "s2:processing_baseline": "05.11",
            "s2:datatake_id": "GS2B_20250115T184929_041057_N05.11",
            "grid:code": "MGRS-10SEG",
        },
        "assets": assets,
    }


def places(value: Any) -> Iterator[Place]:
    """Every container with every key or index in it."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def changed_at_random(answer: dict[str, Any], chance: random.Random) -> bytes:
    for _ in range(chance.choice([0, 1, 1, 1, 2, 5])):
        if not (left := list(places(answer))):
            break
        holder, key = chance.choice(left)
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = deepcopy(chance.choice(ODD_VALUES))
    body = bytearray(json.dumps(answer).encode())
    if chance.random() < 0.2:
        start = chance.randrange(len(body))
        body[start : start + chance.choice([0, 1, 3])] = chance.choice([b"", b"}", b'"', b"[" * 9, b"\xff", b"\\u0000"])
    return bytes(body)


@pytest.fixture
def files(range_server: RangeServer) -> str:
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    for name, first in (("red", 1300), ("nir", 4000)):
        write_tif(range_server.folder / f"{name}.tif", ramp % 500 + first, driver="COG", BLOCKSIZE=128)
    return range_server.url


@pytest.fixture
def live(live_key: str) -> ApiKey:
    return ApiKey.objects.get(mode="live")


def test_job_has_a_named_end_and_the_list_can_be_shown(
    live: ApiKey, live_key: str, api: APIClient, files: str, settings: Settings, tmp_path: Path
) -> None:
    settings.PRIVATE_HOSTS = frozenset({"127.0.0.1"})
    settings.JOB_ATTEMPTS = 1
    settings.STAC_ROOTS = roots = dict[str, list[str]]()  # once: each setting lies on the one before
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {live_key}")
    ends = Counter[str]()
    for seed in range(TRIED):
        body = changed_at_random(
            {"type": "FeatureCollection", "features": [item(files)], "links": []}, random.Random(seed)
        )
        with AnyServer(content(body)) as catalogue:
            roots["sentinel-2"] = [catalogue.url]
            job = claimed(live, scene_ids=[f"sentinel-2:{PRODUCT}"], params={})
            execute(job)
        listed = api.get(URL)
        assert listed.status_code == 200, seed
        shown = listed.json()["jobs"][0]
        assert shown["status"] in ("completed", "failed"), (seed, body)
        ends[shown["error"]["code"] if shown["error"] else "completed"] += 1
        assert ends.keys() <= CODES, (seed, shown["error"], body)
        assert api.get(f"{URL}/{job.pk}").status_code == 200, seed
    assert ends["completed"]
    assert len(ends) >= 4
