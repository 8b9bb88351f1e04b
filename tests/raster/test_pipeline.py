"""A whole job on the sandbox: from a scene's id to one verified file, or to no file."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster.errors import InvalidSceneId, NoValidPixels, SceneNotFound, SceneUnreadable, Stopped
from processing.raster.operations.ndvi import NdviParams
from processing.raster.pipeline import run
from processing.raster.sandbox.catalogue import PRODUCTS
from processing.raster.sandbox.location import VERSION
from processing.raster.types import COG_MEDIA_TYPE, Product, Tick
from tests.raster.support.cogs import is_valid
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import float_ndvi, grid, ndvi_job, read_tif, write_tif
from tests.raster.support.tile_decoding import decode_pages

BEFORE, AFTER = PRODUCTS["before"], PRODUCTS["after"]
SMALL = "S2B_MSIL2A_20240715T184929_N0511_R070_T10SEG_20240715T224157"


def silent(share: float) -> None:
    """A tick that lets the work go on."""


def run_ndvi(original_id: str, directory: Path, sandbox: Path, tick: Tick = silent, **params: Any) -> Product:
    directory.mkdir(exist_ok=True)
    config = config_for(sandbox=sandbox)
    return run(ndvi_job(original_id, **params), directory, tick, config)


def small_sandbox(folder: Path, red: np.ndarray[Any, Any], nir: np.ndarray[Any, Any]) -> Path:
    """A catalogue of one small scene, laid out like the sandbox's."""
    scene = folder / f"v{VERSION}" / SMALL
    scene.mkdir(parents=True)
    write_tif(scene / "B04.tif", red, nodata=0)
    write_tif(scene / "B08.tif", nir, nodata=0)
    radiometry = {"raster:bands": [{"nodata": 0, "scale": 1e-4, "offset": -0.1}]}
    assets = {
        name: {"href": f"./{file}.tif", "type": COG_MEDIA_TYPE, **radiometry}
        for name, file in (("red", "B04"), ("nir", "B08"))
    }
    properties = {"datetime": "2024-07-15T18:56:01Z", "platform": "sentinel-2b", "s2:processing_baseline": "05.11"}
    item = {"type": "Feature", "id": SMALL, "properties": properties, "assets": assets}
    (scene / f"{SMALL}.json").write_text(json.dumps(item))
    links = [{"rel": "item", "href": f"./{SMALL}/{SMALL}.json"}]
    (folder / f"v{VERSION}" / "catalog.json").write_text(json.dumps({"type": "Catalog", "links": links}))
    return folder


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sandbox of several windows, with DN around every edge of the formula."""
    random = np.random.default_rng(9)
    shape = (1030, 1100)
    red, nir = (random.integers(900, 4000, shape).astype(np.uint16) for _ in range(2))
    for dn in (red, nir):
        dn[random.random(shape) < 0.05] = 0
        dn[random.random(shape) < 0.01] = 65535
        dn[random.random(shape) < 0.05] = 1000
    return small_sandbox(tmp_path_factory.mktemp("noisy"), red, nir)


@pytest.mark.parametrize("product", [BEFORE, AFTER])
def test_scene_is_found_by_its_full_and_by_its_short_name(sandbox: Path, tmp_path: Path, product: str) -> None:
    short = "_".join(product.split("_")[:3])
    results = [run_ndvi(name, tmp_path / name, sandbox) for name in (product, short)]
    assert [result.provenance["scenes"][0]["item"] for result in results] == [product, product]
    np.testing.assert_array_equal(read_tif(results[0].path), read_tif(results[1].path))
    assert results[0].statistics == results[1].statistics
    assert 0.1 < results[0].statistics["mean"] < 0.9


def test_two_dates_have_two_results(sandbox: Path, tmp_path: Path) -> None:
    digests = {run_ndvi(name, tmp_path / name, sandbox).sha256 for name in (BEFORE, AFTER)}
    assert len(digests) == 2


def test_error_of_an_unknown_scene_names_those_of_the_sandbox(sandbox: Path, tmp_path: Path) -> None:
    unknown = AFTER.replace("T10SEG", "T10SEH")
    with pytest.raises(SceneNotFound) as error:
        run_ndvi(unknown, tmp_path, sandbox)
    for name in (unknown, BEFORE, AFTER):
        assert name in error.value.message
    assert error.value.details["scene_id"] == f"sentinel-2:{unknown}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("malformed", ["S2B_10SEG_20250115_L2A", "S2B_MSIL1C_20250115T184929", "anything"])
def test_malformed_id_is_refused_in_the_sandbox_too(sandbox: Path, tmp_path: Path, malformed: str) -> None:
    with pytest.raises(InvalidSceneId):
        run_ndvi(malformed, tmp_path, sandbox)


def test_items_id_of_a_real_catalogue_is_no_scene_of_the_sandbox(sandbox: Path, tmp_path: Path) -> None:
    with pytest.raises(SceneNotFound, match=AFTER):
        run_ndvi("S2B_10SEG_20250115_0_L2A", tmp_path, sandbox)


def test_result_is_the_formula_on_every_pixel(noisy: Path, tmp_path: Path) -> None:
    product = run_ndvi(SMALL, tmp_path, noisy)
    red, nir = (read_tif(noisy / f"v{VERSION}" / SMALL / f"{name}.tif") for name in ("B04", "B08"))
    valid = np.logical_and.reduce([(dn != 0) & (dn != 65535) for dn in (red, nir)])
    reflectance = [(dn.astype(np.int64) - 1000) / 10_000 for dn in (red, nir)]
    expected = float_ndvi(reflectance[0], reflectance[1], valid)
    pixels = read_tif(product.path)
    np.testing.assert_array_equal(np.isnan(pixels), np.isnan(expected))
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=1e-6)
    assert product.statistics["mean"] == pytest.approx(np.nanmean(expected), abs=1e-6)
    assert product.statistics["stddev"] == pytest.approx(np.nanstd(expected), abs=1e-6)
    assert product.statistics["valid_percent"] == pytest.approx(100 * np.isfinite(expected).mean())
    assert not {"masked_percent", "overlap_percent"} & set(product.statistics)


@pytest.mark.parametrize("params", [{}, {"colormap": "rdylgn"}])
def test_product_describes_its_file_truly(noisy: Path, tmp_path: Path, params: dict[str, Any]) -> None:
    product = run_ndvi(SMALL, tmp_path, noisy, **params)
    content = product.path.read_bytes()
    assert set(tmp_path.iterdir()) == {product.path, *product.pictures.values()}
    assert (product.size, product.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert is_valid(product.path)
    with rasterio.open(product.path) as file:
        assert product.proj_code == f"EPSG:{file.crs.to_epsg()}" == "EPSG:32619"
        assert (product.shape, product.gsd) == (file.shape, file.res[0])
        assert file.transform == grid(1100, 1030).transform
        tags = file.tags()
    assert (tags["ASTRA_OPERATION"], tags["ASTRA_SCENES"]) == ("ndvi", f"sentinel-2:{SMALL}")
    assert json.loads(tags["ASTRA_PARAMS"]) == NdviParams.model_validate(params).model_dump()
    (scene,) = product.provenance["scenes"]
    assert scene["scene_id"] == f"sentinel-2:{SMALL}"
    assert scene["datetime"] == "2024-07-15T18:56:01Z"
    assert {name: (band["asset"], band["scale"], band["offset"]) for name, band in scene["bands"].items()} == {
        "red": ("red", 1e-4, -0.1),
        "nir": ("nir", 1e-4, -0.1),
    }
    assert scene["mask"] is None
    assert product.warnings == ()
    assert dict(product.extra_fields) == {}


def test_two_runs_have_the_same_pixels_tags_and_statistics(noisy: Path, tmp_path: Path) -> None:
    """The bytes may differ: of two matches of equal length, the compressor of another thread may take the other."""
    one, other = (run_ndvi(SMALL, tmp_path / name, noisy) for name in ("one", "other"))
    for level, again in zip(decode_pages(one.path), decode_pages(other.path), strict=True):
        np.testing.assert_array_equal(level, again)
    with rasterio.open(one.path) as file, rasterio.open(other.path) as its:
        assert (file.tags(), file.tags(1), file.transform) == (its.tags(), its.tags(1), its.transform)
    assert one.statistics == other.statistics


def shares_of(noisy: Path, directory: Path) -> list[float]:
    """The shares of a whole job that `tick` is called with. Fails if a file is finished before the last call."""
    shares: list[float] = []

    def note(share: float) -> None:
        shares.append(share)
        assert not list(directory.glob("*.tif")), "a job that can still be stopped has finished no file"

    assert run_ndvi(SMALL, directory, noisy, note).path.is_file()
    return shares


def test_tick_is_called_with_a_growing_share_until_the_file_is_to_be_finished(noisy: Path, tmp_path: Path) -> None:
    shares = shares_of(noisy, tmp_path)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.5 < shares[-1] < 1  # the rest is laying out and checking the file
    assert len(set(shares)) >= 5  # the start, and four windows


def test_job_that_is_stopped_at_any_tick_leaves_no_file(noisy: Path, tmp_path: Path) -> None:
    for calls in range(1, len(shares_of(noisy, tmp_path / "whole")) + 1):
        left = iter(range(calls - 1))

        def stop(share: float, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Stopped

        with pytest.raises(Stopped):
            run_ndvi(SMALL, tmp_path / f"{calls}", noisy, stop)
        assert list((tmp_path / f"{calls}").iterdir()) == []


@pytest.mark.parametrize(
    ("red", "nir"),
    [(0, 3000), (3000, 0), (0, 0), (65535, 3000), (900, 1000)],
    ids=["no red", "no nir", "nothing", "saturated", "both dark"],
)
def test_scene_without_a_valid_pixel_is_an_error_and_no_file_stays(tmp_path: Path, red: int, nir: int) -> None:
    bands = [np.full((70, 60), dn, np.uint16) for dn in (red, nir)]
    directory = tmp_path / "results"
    with pytest.raises(NoValidPixels) as error:
        run_ndvi(SMALL, directory, small_sandbox(tmp_path / "sandbox", *bands))
    assert error.value.details == {"scene_ids": [f"sentinel-2:{SMALL}"], "masked_percent": 0}
    assert list(directory.iterdir()) == []


def test_one_valid_pixel_is_enough(tmp_path: Path) -> None:
    red, nir = (np.zeros((70, 60), np.uint16) for _ in range(2))
    red[3, 4], nir[3, 4] = 2000, 4000
    product = run_ndvi(SMALL, tmp_path / "results", small_sandbox(tmp_path / "sandbox", red, nir))
    assert product.statistics["minimum"] == product.statistics["maximum"] == pytest.approx(0.5)
    assert product.statistics["stddev"] == 0
    assert product.statistics["valid_percent"] == pytest.approx(100 / 4200)


def test_broken_band_is_named_and_no_file_stays(tmp_path: Path) -> None:
    dn = np.random.default_rng(1).integers(1000, 4000, (600, 600)).astype(np.uint16)
    sandbox = small_sandbox(tmp_path / "sandbox", dn, dn)
    path = sandbox / f"v{VERSION}" / SMALL / "B08.tif"
    path.write_bytes(path.read_bytes()[:300_000])
    with pytest.raises(SceneUnreadable) as error:
        run_ndvi(SMALL, tmp_path / "results", sandbox)
    assert error.value.details == {"scene_id": f"sentinel-2:{SMALL}", "asset": "nir"}
    assert list((tmp_path / "results").iterdir()) == []


def test_near_infrared_of_20_m_comes_to_the_10_m_of_red(tmp_path: Path) -> None:
    red = np.full((60, 80), 2000, np.uint16)
    nir = np.full((30, 40), 4000, np.uint16)
    sandbox = small_sandbox(tmp_path / "sandbox", red, nir)
    write_tif(sandbox / f"v{VERSION}" / SMALL / "B08.tif", nir, grid(40, 30, 20.0), nodata=0)
    product = run_ndvi(SMALL, tmp_path / "results", sandbox)
    assert (product.shape, product.gsd) == ((60, 80), 10)
    np.testing.assert_allclose(read_tif(product.path), 0.5, atol=1e-6)
