"""The flag that the offset is applied already, and pixels that contradict it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.pipeline import run
from processing.raster.types import Product
from tests.raster.catalogues.real_items.stored import C1, TPS
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import ndvi_job, read_tif, write_tif
from tests.raster.support.served_catalogues import stored_item
from tests.servers import RangeServer, StacServer

SIDE = 100
VALID = SIDE * SIDE // 2  # the other half is nodata
DARK, BRIGHT, NIR = 500, 1300, 4000
APPLIED_ALREADY = (NIR - BRIGHT) / (NIR + BRIGHT)  # 0.509
APPLIED_NOW = (NIR - BRIGHT) / (NIR + BRIGHT - 2000)  # 0.818

Run = Callable[[dict[str, Any], int], Product]


@pytest.fixture
def ndvi_of(range_server: RangeServer, stac_server: StacServer, tmp_path: Path) -> Run:
    """NDVI of an item over small files: so many of the valid red DN are below 1000. One half is nodata."""

    def run_ndvi(item: dict[str, Any], dark: int) -> Product:
        red, nir = np.zeros((SIDE, SIDE), np.uint16), np.zeros((SIDE, SIDE), np.uint16)
        red.flat[:VALID], nir.flat[:VALID] = BRIGHT, NIR
        red.flat[:dark] = DARK
        for key, dn in (("red", red), ("nir", nir)):
            write_tif(range_server.folder / f"{key}.tif", dn, nodata=0)
            item["assets"][key]["href"] = f"{range_server.url}/{key}.tif"
        item["links"] = []
        root = stac_server.serve(item["collection"], [item])
        hosts = frozenset({range_server.host, stac_server.host})
        product = item["properties"]["s2:product_uri"].removesuffix(".SAFE")
        config = config_for(roots={"sentinel-2": [root]}, private_hosts=hosts)
        return run(ndvi_job(product), tmp_path, lambda share: None, config)

    return run_ndvi


def flagged(shared_data: Path, applied: bool) -> dict[str, Any]:
    """A real item whose flag is set. No stored item has the flag false with baseline 05."""
    item = stored_item(shared_data, TPS)
    item["properties"]["earthsearch:boa_offset_applied"] = applied
    return item


def offsets(product: Product) -> set[float]:
    return {band["offset"] for band in product.provenance["scenes"][0]["bands"].values()}


def bright_ndvi(product: Product) -> float:
    return float(read_tif(product.path).flat[VALID - 1])


def test_wrong_flag_is_overruled_by_the_pixels_with_a_warning(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(flagged(shared_data, False), VALID * 21 // 100)
    assert offsets(product) == {0.0}
    assert bright_ndvi(product) == pytest.approx(APPLIED_ALREADY, abs=1e-6)
    (warning,) = (text for text in product.warnings if "offset" in text)
    assert "S2A_MSIL2A_20230602T100601" in warning
    reasons = {band["offset_reason"] for band in product.provenance["scenes"][0]["bands"].values()}
    assert all("pixels" in reason for reason in reasons)


def test_flag_stands_if_no_more_than_a_fifth_is_dark(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(flagged(shared_data, False), VALID // 5)
    assert offsets(product) == {-0.1}
    assert bright_ndvi(product) == pytest.approx(APPLIED_NOW, abs=1e-6)
    assert product.warnings == ()


def test_flag_that_the_offset_is_applied_is_trusted(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(flagged(shared_data, True), VALID)
    assert offsets(product) == {0.0}
    assert product.warnings == ()


def test_dark_scene_of_another_collection_keeps_its_offset(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(stored_item(shared_data, C1), VALID * 9 // 10)
    assert offsets(product) == {-0.1}
    assert bright_ndvi(product) == pytest.approx(APPLIED_NOW, abs=1e-6)
    assert product.warnings == ()
