"""Real pairs of Sentinel-2 scenes, found at a real STAC API and read over HTTP."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster.types import Config
from tests.raster.support.pairs import Dense, Result, Truth, classes_of, compare, remote_config
from tests.servers import RangeServer, StacServer

AUGUST_13, AUGUST_15 = "S2B_33TWL_20230813_0_L2A", "S2A_33TWL_20230815_0_L2A"
AUGUST_18, AUGUST_20 = "S2A_33TWL_20230818_0_L2A", "S2B_33TWL_20230820_0_L2A"
WEST_TILE, NORTH_TILE = "S2B_33TWL_20230820_0_L2A", "S2B_33TWM_20230820_0_L2A"
LOCAL = {"blue": "B02.tif", "green": "B03.tif", "red": "B04.tif", "nir": "B08.tif", "scl": "SCL.tif"}
MOST_OFF = 1.0  # percent of the pixels
MIRRORED = np.array([0, 2, 1, 3, 4, *[255] * 251], np.uint8)

Item = dict[str, Any]


@pytest.fixture
def scenes(shared_data: Path) -> Path:
    return shared_data / "mapchete_eo_s2_120m"


def put(scenes: Path, item_id: str, files: RangeServer, below: str = "") -> Item:
    """Copy a scene's files onto the server. Returns its real item with links to them."""
    shutil.copytree(scenes / item_id, files.folder / below / item_id)
    item: Item = json.loads((scenes / item_id / f"{item_id}.json").read_text())
    for key, filename in LOCAL.items():
        item["assets"][key]["href"] = f"{files.url}/{below}{item_id}/{filename}"
    return item


def product(item: Item) -> str:
    return str(item["properties"]["s2:product_uri"]).removesuffix(".SAFE")


def serve(scenes: Path, item_ids: Sequence[str], stac: StacServer, files: RangeServer) -> tuple[Config, list[str]]:
    items = [put(scenes, item_id, files) for item_id in item_ids]
    return remote_config(stac, files, items), [product(item) for item in items]


def percents(result: Result) -> list[float]:
    return [round(row["percent"], 1) for row in result.statistics["classes"]]


def test_two_days_apart_little_changes(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    config, (before, after) = serve(scenes, (AUGUST_13, AUGUST_15), stac_server, range_server)
    result = compare(config, tmp_path / "out", before, after, bands=["red", "nir"], threshold=0.1)
    assert result.grid.shape == (915, 915)
    assert percents(result)[0] == 98.4
    assert percents(result)[2] == 1.5
    assert percents(result)[3] == 0
    assert result.statistics["detectable_classes"] == [0, 1, 2, 4]
    assert result.statistics["overlap_percent"] == pytest.approx(100)
    # Pixels of 120 m are 1.44 ha on the map, which is up to 0.2 % off the ground.
    assert sum(row["hectares"] for row in result.statistics["classes"]) == pytest.approx(
        1.44 * sum(result.pixels_by_class), rel=2e-3
    )
    assert [scene["mask"] for scene in result.product.provenance["scenes"]] == ["scl", "scl"]


@pytest.mark.parametrize(
    ("dates", "most_changed", "least_valid"),
    [
        ((AUGUST_13, AUGUST_20), 16.5, 60),
        ((AUGUST_18, AUGUST_20), 11.0, 15),
        ((AUGUST_13, AUGUST_15), 2.0, 80),
    ],
)
def test_edges_of_clouds_are_no_change(
    tmp_path: Path,
    scenes: Path,
    stac_server: StacServer,
    range_server: RangeServer,
    dates: tuple[str, str],
    most_changed: float,
    least_valid: float,
) -> None:
    """Without growth the first two pairs change by 19.4 and 21.8 %."""
    config, (before, after) = serve(scenes, dates, stac_server, range_server)
    grown = compare(config, tmp_path / "grown", before, after, mask_dilation=60)
    assert 100 - grown.statistics["classes"][0]["percent"] < most_changed
    assert grown.statistics["valid_percent"] > least_valid
    marked = compare(config, tmp_path / "marked", before, after, mask_dilation=0)
    assert grown.statistics["valid_percent"] < marked.statistics["valid_percent"]
    valid = grown.pixels != 255
    np.testing.assert_array_equal(grown.pixels[valid], marked.pixels[valid])


def test_swapped_dates_mirror_the_classes(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    config, (before, after) = serve(scenes, (AUGUST_13, AUGUST_15), stac_server, range_server)
    forward = compare(config, tmp_path / "forward", before, after)
    backward = compare(config, tmp_path / "backward", after, before)
    assert {1, 2, 4} <= set(np.unique(forward.pixels).tolist())
    np.testing.assert_array_equal(backward.pixels, MIRRORED[forward.pixels])
    assert any("later" in warning for warning in backward.product.warnings)
    assert not any("later" in warning for warning in forward.product.warnings)


def test_neighbours_are_compared_in_their_overlap(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    """The tiles overlap by 9.78 km, and their grids lie half a pixel apart from south to north."""
    config, (south, north) = serve(scenes, (WEST_TILE, NORTH_TILE), stac_server, range_server)
    result = compare(config, tmp_path / "out", south, north)
    overlap = 5_100_000 - (5_200_020 - 915 * 120)
    assert overlap == 9_780
    assert result.grid.shape == (81, 915)  # whole pixels of the first scene, inward
    assert (result.grid.transform.c, result.grid.transform.f) == (499_980, 5_100_000)
    assert result.statistics["overlap_percent"] == pytest.approx(100 * overlap / (915 * 120))
    assert result.pixels_by_class[3] == 0
    assert any("overlap by only 9 %" in warning for warning in result.product.warnings)


def test_half_a_pixel_is_interpolated(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    """Each pixel of the southern tile lies half on one and half on the next row of the northern tile."""
    config, (south, north) = serve(scenes, (WEST_TILE, NORTH_TILE), stac_server, range_server)
    result = compare(config, tmp_path / "out", south, north, cloud_mask=False)
    before, after, known = {}, {}, np.ones(result.pixels.shape, np.bool_)
    for band in ("red", "nir"):
        here = read(scenes / WEST_TILE / LOCAL[band])[:81]
        there = read(scenes / NORTH_TILE / LOCAL[band])[-82:]
        known &= (here > 0) & (there[:-1] > 0) & (there[1:] > 0)
        before[band], after[band] = here / 10_000, (there[:-1] + there[1:]) / 20_000
    expected = classes_of(before, after)
    assert known.mean() > 0.9
    assert (result.pixels[known] == expected[known]).mean() > 0.9999
    # Without interpolation the rows would be half a pixel aside, and the map another.
    aside = {band: read(scenes / NORTH_TILE / LOCAL[band])[-82:-1] / 10_000 for band in after}
    assert (classes_of(before, aside)[known] != expected[known]).mean() > 0.01


def read(path: Path) -> Dense:
    with rasterio.open(path) as file:
        dn: Dense = file.read(1).astype(np.float64)
        return dn


def test_offset_applied_and_raw_are_the_same_ground(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    applied = put(scenes, WEST_TILE, range_server)
    raw = put(scenes, WEST_TILE, range_server, "raw/")
    raw_id = WEST_TILE.replace("S2B", "S2A")
    raw["id"] = raw_id
    del raw["properties"]["earthsearch:boa_offset_applied"]
    raw["properties"]["s2:product_uri"] = raw["properties"]["s2:product_uri"].replace("S2B", "S2A")
    assert raw["properties"]["s2:processing_baseline"] == "05.09"
    for key, filename in LOCAL.items():
        if key != "scl":
            assert raw["assets"][key]["raster:bands"][0]["offset"] == -0.1
            shift_by_1000(range_server.folder / "raw" / WEST_TILE / filename)
    config = remote_config(stac_server, range_server, [applied, raw])
    for before, after in ((applied, raw), (raw, applied)):
        result = compare(
            config,
            tmp_path / "out",
            product(before),
            product(after),
            bands=["blue", "green", "red", "nir"],
            threshold=0.0,
        )
        assert sum(result.pixels_by_class) > 500_000
        assert result.pixels_by_class[1:] == [0, 0, 0, 0]
    offsets = [scene["bands"]["red"]["offset"] for scene in result.product.provenance["scenes"]]
    assert sorted(offsets) == [-0.1, 0.0]


def shift_by_1000(path: Path) -> None:
    """Undo the offset that the catalogue has applied to the DN; nodata stays nodata."""
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        dn = file.read(1)
        file.write(np.where(dn == 0, 0, dn + 1000).astype(np.uint16), 1)


def test_mixed_baselines_of_the_same_ground(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    """The same pixels, once as an older baseline without an offset would have them."""
    newer = put(scenes, WEST_TILE, range_server)
    older = json.loads(json.dumps(newer))
    older["id"] = WEST_TILE.replace("S2B", "S2A")
    older["properties"]["s2:processing_baseline"] = "03.01"
    older["properties"]["s2:product_uri"] = newer["properties"]["s2:product_uri"].replace("S2B", "S2A")
    del older["properties"]["earthsearch:boa_offset_applied"]
    config = remote_config(stac_server, range_server, [newer, older])
    result = compare(config, tmp_path / "out", product(older), product(newer), threshold=0.0)
    assert result.pixels_by_class[1:] == [0, 0, 0, 0]
    assert any("03.01" in warning and "05.09" in warning for warning in result.product.warnings)


@pytest.mark.parametrize(
    "dates",
    [
        (AUGUST_13, AUGUST_15),
        (AUGUST_13, AUGUST_18),
        (AUGUST_13, AUGUST_20),
        (AUGUST_15, AUGUST_18),
        (AUGUST_15, AUGUST_20),
        (AUGUST_18, AUGUST_20),
    ],
)
def test_shares_near_masks_are_estimates_from_a_sample_of_the_pixels(
    tmp_path: Path, scenes: Path, stac_server: StacServer, range_server: RangeServer, dates: tuple[str, str]
) -> None:
    """A quarter of these pixels is sampled. `docs/accuracy.md` says how far off that is."""
    config, (before, after) = serve(scenes, dates, stac_server, range_server)
    result = compare(config, tmp_path / "out", before, after)
    quality = result.product.quality
    assert quality["sampled_pixels"] == 458**2 < result.pixels.size / 3
    near = np.logical_or(*(near_clouds(read(scenes / item / LOCAL["scl"])) for item in dates))
    valid = result.pixels != 255
    changed = valid & (result.pixels != 0)
    assert quality["near_mask_percent"] == pytest.approx(100 * near[valid].mean(), abs=MOST_OFF)
    assert quality["change_near_mask_percent"] == pytest.approx(100 * near[changed].mean(), abs=MOST_OFF)


def near_clouds(scl: Dense) -> Truth:
    """Within five rows and columns of cloud, shadow or snow."""
    cloudy = np.pad(np.isin(scl, [3, 8, 9, 10, 11]), 5)
    around = np.lib.stride_tricks.sliding_window_view(cloudy, (11, 11))
    near: Truth = np.max(around, axis=(2, 3))
    return near
