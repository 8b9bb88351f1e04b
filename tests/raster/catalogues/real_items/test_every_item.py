"""Every stored item: the right asset, scale, offset, nodata and mask of each band."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from processing.raster.radiometry.bands import resolve_band, resolve_mask
from processing.raster.types import Config
from tests.raster.catalogues.real_items.stored import (
    C1,
    CDSE_0500,
    CDSE_0512,
    LOOK_ETM,
    LOOK_OLI,
    PC,
    PC_ETM,
    PC_OLI,
    PC_RASTER,
    RWT,
    STACTOOLS,
    TPS,
    TWL,
    V0,
    WITH_BUCKETS,
    WITHOUT_BUCKETS,
    scene_of,
)

SENTINEL, LANDSAT = 1e-4, 2.75e-5


@dataclass(frozen=True)
class Expected:
    """What scenes.md and the item's own JSON say. `nir` is nir08 if the sensor has no broad nir."""

    file: str
    red: str
    nir: str
    swir16: str
    mask: str
    kind: str
    scale: float
    offset: float
    reason: str


BY_COMMON_NAME, BY_NATIVE_NAME = ("red", "nir", "swir16", "scl", "scl"), ("B04", "B08", "B11", "SCL", "scl")
AT_CDSE = ("B04_10m", "B08_10m", "B11_20m", "SCL_20m", "scl")
OF_LANDSAT = ("red", "nir08", "swir16", "qa_pixel", "qa_pixel")
TABLE = [
    Expected(CDSE_0500, *AT_CDSE, SENTINEL, -0.1, "declared"),
    Expected(CDSE_0512, *AT_CDSE, SENTINEL, -0.1, "declared"),
    Expected(V0, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.14"),
    Expected(C1, *BY_COMMON_NAME, SENTINEL, -0.1, "declared"),
    Expected(TPS, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(TWL, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(RWT, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(LOOK_OLI, *OF_LANDSAT, LANDSAT, -0.2, "Landsat Collection 2"),
    Expected(LOOK_ETM, *OF_LANDSAT, LANDSAT, -0.2, "Landsat Collection 2"),
    Expected(PC, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.12"),
    Expected(PC_RASTER, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.12"),
    Expected(PC_OLI, *OF_LANDSAT, LANDSAT, -0.2, "declared"),
    Expected(PC_ETM, *OF_LANDSAT, LANDSAT, -0.2, "declared"),
    Expected(STACTOOLS, *BY_COMMON_NAME, SENTINEL, -0.1, "declared"),
]
FILES = [expected.file for expected in TABLE]
OF_SENTINEL_2 = [expected.file for expected in TABLE if expected.scale == SENTINEL]


def test_table_names_every_stored_item(shared_data: Path) -> None:
    assert sorted(FILES) == sorted(path.stem for path in (shared_data / "stac_items").glob("*.json"))


@pytest.mark.parametrize("config", [WITHOUT_BUCKETS, WITH_BUCKETS], ids=["without buckets", "with buckets"])
@pytest.mark.parametrize("expected", TABLE, ids=FILES)
def test_every_item_has_the_right_asset_scale_offset_nodata_and_mask(
    shared_data: Path, expected: Expected, config: Config
) -> None:
    scene = scene_of(shared_data, expected.file, config)
    for name, asset in (("red", expected.red), ("nir", expected.nir), ("swir16", expected.swir16)):
        band = resolve_band(scene, name)
        assert (band.asset, band.scale, band.offset, band.nodata) == (asset, expected.scale, expected.offset, 0.0)
        assert expected.reason in band.offset_reason
        assert band.source == scene.sources[asset]
    mask = resolve_mask(scene)
    assert mask is not None
    assert (mask.asset, mask.kind) == (expected.mask, expected.kind)


@pytest.mark.parametrize("name", OF_SENTINEL_2)
def test_nir_is_the_broad_band_and_nir08_the_narrow_one_of_sentinel_2(shared_data: Path, name: str) -> None:
    scene = scene_of(shared_data, name, WITHOUT_BUCKETS)
    narrow = {CDSE_0500: "B8A_20m", CDSE_0512: "B8A_20m", V0: "B8A", PC: "B8A", PC_RASTER: "B8A"}.get(name, "nir08")
    assert resolve_band(scene, "nir08").asset == narrow
    assert resolve_band(scene, "B8A").asset == narrow
    assert resolve_band(scene, "nir").asset != narrow


@pytest.mark.parametrize("spelling", ["B4", "B04", "b04", "b4"])
@pytest.mark.parametrize("expected", TABLE, ids=FILES)
def test_fourth_band_is_red_but_near_infrared_of_etm(shared_data: Path, expected: Expected, spelling: str) -> None:
    scene = scene_of(shared_data, expected.file, WITHOUT_BUCKETS)
    wanted = expected.nir if expected.file in (LOOK_ETM, PC_ETM) else expected.red
    assert resolve_band(scene, spelling).asset == wanted
