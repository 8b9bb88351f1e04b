"""Writes the sandbox once: two dates of one invented landscape as Sentinel-2 L2A COGs in a STAC catalogue."""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from ..cog import write_cog
from ..grids import Grid
from ..radiometry.sensors import SENTINEL_2
from ..types import COG_MEDIA_TYPE, Float32Array, PixelArray, PixelFormat
from .forced import CLOUDY, FOLDER, NO_DATA, NO_OVERLAP
from .landscape import BANDS, DATES, Landscape
from .location import catalogue_folder
from .plain_ground import PlainGround

PRODUCTS = {
    "before": "S2B_MSIL2A_20240715T184929_N0511_R070_T10SEG_20240715T224157",
    "after": "S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616",
}
TRUTH = "truth.tif"
EPSG = 32610
_DRAFT, _DRAFT_SECONDS = ".draft-", 3600.0  # older ones are left over
_WEST, _NORTH = 540_000.0, 4_180_000.0  # upper left corner in metres, inside tile 10SEG
_SCALE, _OFFSET = SENTINEL_2.scale, SENTINEL_2.offset
_NODATA = 0
_CLOUD_CLASSES = (8, 9, 10)  # of the scene classification
_BOUNDS = [-122.55, 37.58, -122.31, 37.77]  # WGS 84: west, south, east, north

_METRES_A_DEGREE = 88_000.0  # of longitude


@dataclass(frozen=True, kw_only=True)
class _Shot:
    """A scene to write: its product, what is seen, on which date, and how many metres east of the landscape."""

    product: str
    ground: "Ground"
    date: str = "after"
    east: float = 0.0


# The scenes of forced outcomes that have files of their own.
_FORCED: Mapping[str, _Shot] = {
    CLOUDY: _Shot(
        product="S2B_MSIL2A_20250115T184929_N0511_R070_T10SFG_20250115T213616", ground=PlainGround(clouds=0.6)
    ),
    NO_DATA: _Shot(
        product="S2B_MSIL2A_20250115T184929_N0511_R070_T10SEH_20250115T213616", ground=PlainGround(seen=False)
    ),
    NO_OVERLAP: _Shot(
        product="S2B_MSIL2A_20250115T184929_N0511_R070_T11SKB_20250115T213616", ground=PlainGround(), east=100_000.0
    ),
}


class Ground(Protocol):
    """The ground of which scenes are taken: a Landscape, or a benchmark's larger one."""

    @property
    def size(self) -> int: ...

    def reflectance(self, date: str, band: str) -> Float32Array: ...

    def scene_classification(self, date: str) -> PixelArray: ...

    def truth(self) -> PixelArray: ...


def sandbox_catalogue(directory: Path, ground: Ground | None = None) -> Path:
    """Folder of the sandbox's catalogue below `directory`, written first if it is missing.

    Several processes may do so at once: each writes its own copy, and the first to finish puts its copy in place.
    """
    final = catalogue_folder(directory)
    if final.exists():
        return final
    directory.mkdir(parents=True, exist_ok=True)
    _remove_old_drafts(directory)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=directory))
    try:
        _write_catalogue(draft, ground or Landscape())
        draft.rename(final)
    except OSError:
        if not final.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


def _remove_old_drafts(directory: Path) -> None:
    """Remove drafts that killed processes left behind."""
    for draft in directory.glob(f"{_DRAFT}*"):
        if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
            shutil.rmtree(draft, ignore_errors=True)


def _write_catalogue(folder: Path, ground: Ground) -> None:
    items = [
        _write_scene(folder / PRODUCTS[date], _Shot(product=PRODUCTS[date], ground=ground, date=date)) for date in DATES
    ]
    for name, shot in _FORCED.items():
        _write_scene(folder / FOLDER / name, shot)
    _write_truth(folder / TRUTH, ground)
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "astra-sandbox",
        "description": "Two dates of one invented landscape, for test keys. No place on Earth looks like this.",
        "links": [{"rel": "item", "href": f"./{item['id']}/{item['id']}.json"} for item in items],
    }
    _write_json(folder / "catalog.json", catalog)


def _write_truth(path: Path, ground: Ground) -> None:
    """The change made in each pixel, in the codes of change_detection."""
    truth = ground.truth()
    pixel_format = PixelFormat(dtype="uint8", nodata=255, overview_resampling="mode", description="change as made")
    write_cog(path, _grid(truth, _Shot(product="", ground=ground)), truth, pixel_format)


def _write_scene(folder: Path, shot: _Shot) -> dict[str, Any]:
    """Bands, mask and STAC Item of one scene, in a folder that the item's file is named for."""
    folder.mkdir(parents=True)
    assets = {band: _write_band(folder, band, shot) for band in BANDS}
    classes = shot.ground.scene_classification(shot.date)
    assets["scl"] = _write_mask(folder, classes, shot)
    cloudy, seen = np.isin(classes, _CLOUD_CLASSES), classes != _NODATA
    item = _item(shot, assets, round(100 * float(cloudy.sum() / max(1, seen.sum())), 2))
    _write_json(folder / f"{folder.name}.json", item)
    return item


def _write_band(folder: Path, band: str, shot: _Shot) -> dict[str, Any]:
    dn = np.rint((shot.ground.reflectance(shot.date, band) - _OFFSET) / _SCALE)
    pixels = np.where(np.isnan(dn), _NODATA, np.clip(dn, 1, 65534)).astype(np.uint16)
    pixel_format = PixelFormat(
        dtype="uint16",
        nodata=_NODATA,
        overview_resampling="average",
        scale=_SCALE,
        offset=_OFFSET,
        description=band,
    )
    filename = f"{SENTINEL_2.bands[band]}.tif"
    grid = _grid(pixels, shot)
    write_cog(folder / filename, grid, pixels, pixel_format)
    radiometry = {**_raster_band(grid, "uint16"), "scale": _SCALE, "offset": _OFFSET}
    return {
        **_asset(filename, grid, ["data", "reflectance"]),
        "eo:bands": [{"name": SENTINEL_2.bands[band], "common_name": band}],
        "raster:bands": [radiometry],
    }


def _write_mask(folder: Path, classes: PixelArray, shot: _Shot) -> dict[str, Any]:
    grid = _grid(classes, shot)
    pixel_format = PixelFormat(dtype="uint8", nodata=_NODATA, overview_resampling="mode", description="SCL")
    write_cog(folder / "SCL.tif", grid, classes, pixel_format)
    return {**_asset("SCL.tif", grid, ["data"]), "raster:bands": [_raster_band(grid, "uint8")]}


def _grid(pixels: PixelArray, shot: _Shot) -> Grid:
    """10 m pixels if the array has as many rows as the ground, 20 m if it has half as many."""
    metres = 10.0 * shot.ground.size / pixels.shape[0]
    return Grid(
        crs=CRS.from_epsg(EPSG),
        transform=Affine(metres, 0, _WEST + shot.east, 0, -metres, _NORTH),
        width=pixels.shape[1],
        height=pixels.shape[0],
    )


def _raster_band(grid: Grid, dtype: str) -> dict[str, Any]:
    return {"nodata": _NODATA, "data_type": dtype, "spatial_resolution": grid.gsd}


def _asset(filename: str, grid: Grid, roles: list[str]) -> dict[str, Any]:
    return {
        "href": f"./{filename}",
        "type": COG_MEDIA_TYPE,
        "roles": roles,
        "gsd": grid.gsd,
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform)[:6],
    }


def _item(shot: _Shot, assets: Mapping[str, Any], cloud_cover: float) -> dict[str, Any]:
    _, _, datatake, _, _, tile, _ = shot.product.split("_")
    west, south, east, north = (side + shift for side, shift in zip(_BOUNDS, _shifts(shot), strict=True))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": shot.product,
        "bbox": [west, south, east, north],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "datetime": f"{datatake[:4]}-{datatake[4:6]}-{datatake[6:8]}T18:56:01Z",
            "platform": "sentinel-2b",
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "gsd": 10,
            "eo:cloud_cover": cloud_cover,
            "proj:epsg": EPSG,
            "s2:product_uri": f"{shot.product}.SAFE",
            "s2:processing_baseline": "05.11",
            "grid:code": f"MGRS-{tile[1:]}",
        },
        "links": [],
        "assets": dict(assets),
    }


def _shifts(shot: _Shot) -> tuple[float, float, float, float]:
    degrees = shot.east / _METRES_A_DEGREE
    return degrees, 0.0, degrees, 0.0


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1))
