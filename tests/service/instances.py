"""What tests of served instances share: a scene, the rows of a job, and its result's file."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import requests
from affine import Affine
from rasterio.crs import CRS
from rio_cogeo.cogeo import cog_validate

from tests.service.conftest import Service

PRODUCT = "S2B_MSIL2A_20230813T095559_N0509_R122_T33TWL_20230813T130536"
ITEM_ID = "S2B_33TWL_20230813_0_L2A"
COLLECTION = "sentinel-2-l2a"
_PIXELS = 2048  # four windows
_WEST, _NORTH = 499_980.0, 5_100_000.0
_BANDS = {"red": ("B04", 300, 1500), "nir": ("B08", 1800, 4000)}  # file, lowest and highest DN


def write_scene(folder: Path, base_url: str) -> dict[str, Any]:
    """A red and a near infrared COG of noise in `folder`, and their STAC item as Earth Search v1 writes it."""
    assets = {name: _write_band(folder, base_url, name) for name in _BANDS}
    west, south, east, north = bounds = [14.9997, 45.868, 15.2638, 46.0536]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": ITEM_ID,
        "collection": COLLECTION,
        "bbox": bounds,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "datetime": "2023-08-13T10:08:07.856000Z",
            "platform": "sentinel-2b",
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "proj:epsg": 32633,
            "grid:code": "MGRS-33TWL",
            "s2:processing_baseline": "05.09",
            "s2:product_uri": f"{PRODUCT}.SAFE",
            "earthsearch:boa_offset_applied": True,
        },
        "links": [],
        "assets": assets,
    }


def _write_band(folder: Path, base_url: str, name: str) -> dict[str, Any]:
    filename, lowest, highest = _BANDS[name]
    dn = np.random.default_rng(lowest).integers(lowest, highest, (_PIXELS, _PIXELS), dtype=np.uint16)
    transform = Affine(10, 0, _WEST, 0, -10, _NORTH)
    profile = {"driver": "COG", "dtype": "uint16", "count": 1, "nodata": 0, "compress": "DEFLATE", "blocksize": 512}
    grid = {"width": _PIXELS, "height": _PIXELS, "crs": CRS.from_epsg(32633), "transform": transform}
    with rasterio.open(folder / f"{filename}.tif", "w", **profile, **grid) as file:
        file.write(dn, 1)
    return {
        "href": f"{base_url}/{filename}.tif",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data", "reflectance"],
        "gsd": 10,
        "proj:shape": [_PIXELS, _PIXELS],
        "proj:transform": list(transform)[:6],
        "eo:bands": [{"name": name, "common_name": name}],
        "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}],
    }


def live_key(service: Service) -> str:
    """A live key of the account that the instance's test key belongs to, so that both see the same jobs."""
    return service.manage("createapikey", "--account", "first").split()[-1]


def submit_live(service: Service, key: str) -> str:
    """Submit NDVI of the scene that `write_scene` writes; returns the job's id."""
    answer = requests.post(
        f"{service.url}/api/v1/process",
        json={"operation": "ndvi", "scene_ids": [f"sentinel-2:{PRODUCT}"]},
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
    )
    assert answer.status_code == 202, answer.text
    job_id = str(answer.json()["job_id"])
    service.keys_of_jobs[job_id] = key
    return job_id


def rows(service: Service, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows that the instance's database returns for `query`."""
    with closing(sqlite3.connect(f"file:{service.data}/astra.sqlite3?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(query, parameters).fetchall()


def verbs(service: Service, job_id: str) -> list[str]:
    """The verbs of the job's timeline, in order."""
    return [
        verb for (verb,) in rows(service, "SELECT verb FROM processing_jobevent WHERE job_id = ? ORDER BY id", job_id)
    ]


def result_files(service: Service, job_id: str) -> list[Path]:
    return [path for path in (service.data / "results" / "jobs" / job_id).rglob("*") if path.is_file()]


def stored_cog(service: Service, job_id: str) -> Path:
    """The one COG that is stored for the job; its pictures lie beside it."""
    (path,) = (path for path in result_files(service, job_id) if path.suffix == ".tif")
    return path


def assert_whole_result(service: Service, job: Mapping[str, Any]) -> None:
    """Exactly one COG is stored for the job: that which its body describes."""
    path = stored_cog(service, job["job_id"])
    content = path.read_bytes()
    assert len(content) == job["result"]["file:size"]
    assert job["result"]["file:checksum"] == f"1220{hashlib.sha256(content).hexdigest()}"
    assert_strict_cog(path)


def assert_strict_cog(path: Path) -> None:
    valid, errors, warnings = cog_validate(path, strict=True)
    assert valid, json.dumps([errors, warnings])
