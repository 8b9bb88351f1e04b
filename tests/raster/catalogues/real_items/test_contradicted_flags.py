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
from tests.raster.support.served_catalogues import ask_no_real_host, stored_item
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
        ask_no_real_host(item, range_server.url)
        for key, dn in (("red", red), ("nir", nir)):
            write_tif(range_server.folder / f"{key}.tif", dn, nodata=0)
            item["assets"][key]["href"] = f"{range_server.url}/{key}.tif"
            item["assets"][key].pop("proj:shape", None)
        for field in ("proj:code", "proj:epsg"):  # the small files lie elsewhere
            item["properties"].pop(field, None)
        item["links"] = []
        root = stac_server.serve(item["collection"], [item])
        hosts = frozenset({range_server.host, stac_server.host})
        product = item["properties"]["s2:product_uri"].removesuffix(".SAFE")
        config = config_for(roots={"sentinel-2": [root]}, private_hosts=hosts)
        return run(ndvi_job(product), tmp_path, lambda share: None, config)

    return run_ndvi


def flagged(shared_data: Path, applied: Any) -> dict[str, Any]:
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


def test_shifted_pixels_win_over_a_flag_that_denies_the_shift(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(flagged(shared_data, True), 0)
    assert offsets(product) == {-0.1}
    assert bright_ndvi(product) == pytest.approx(APPLIED_NOW, abs=1e-6)
    (warning,) = product.warnings
    assert "offset of 0 for red" in warning


@pytest.mark.parametrize("applied", [None, "false", False])
def test_flag_that_agrees_with_the_pixels_is_no_warning(shared_data: Path, ndvi_of: Run, applied: Any) -> None:
    product = ndvi_of(flagged(shared_data, applied), 0)
    assert offsets(product) == {-0.1}
    assert product.warnings == ()


@pytest.mark.parametrize("applied", [True, "true", "True"])
def test_flag_is_read_as_text_too(shared_data: Path, ndvi_of: Run, applied: Any) -> None:
    product = ndvi_of(flagged(shared_data, applied), VALID)
    assert offsets(product) == {0.0}
    assert product.warnings == ()


def test_plain_pixels_of_any_collection_win_over_the_metadata(shared_data: Path, ndvi_of: Run) -> None:
    product = ndvi_of(stored_item(shared_data, C1), VALID * 9 // 10)
    assert offsets(product) == {0.0}
    assert bright_ndvi(product) == pytest.approx(APPLIED_ALREADY, abs=1e-6)
    (check,) = (scene["offset_check"] for scene in product.provenance["scenes"])
    assert (check["shift"], check["below_percent"], check["pixels"]) == ("plain", pytest.approx(90), VALID)


def test_pixels_decide_if_baselines_contradict_each_other(shared_data: Path, ndvi_of: Run) -> None:
    item = stored_item(shared_data, C1)
    item["properties"]["s2:processing_baseline"] = "03.01"
    product = ndvi_of(item, 0)
    assert offsets(product) == {-0.1}
    assert any("03.01" in warning and "05.11" in warning for warning in product.warnings)
