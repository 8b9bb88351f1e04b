"""Real scenes, real catalogue items and real HTTP: the results are those that others compute from the same pixels."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.windows import Window
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from processing.raster.errors import RasterError
from processing.raster.gdal import gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.pipeline import run
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import Band, BoolArray, Config, Float32Array, Product, RemoteFile, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, float_ndvi, ndvi_job, read_reflectance, read_tif
from tests.raster.support.real_scenes import LANDSAT, SCENES, landsat_file, real_items, scene_file, serve_files
from tests.servers import RangeServer, StacServer

Dense = npt.NDArray[np.float64]
CLOUDY = "S2A_33TWL_20230818_0_L2A"
NEIGHBOUR = "S2B_33TWM_20230820_0_L2A"


@pytest.fixture(scope="module")
def served(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """The settings by which the real scenes are found and read."""
    folder = tmp_path_factory.mktemp("real")
    with RangeServer(folder / "files") as files, StacServer(folder / "stac") as catalogue:
        serve_files(shared_data, files)
        root = catalogue.serve("sentinel-2-l2a", real_items(shared_data, files.url))
        yield config_for(
            roots={"sentinel-2": (root,)},
            private_hosts=frozenset({files.host, catalogue.host}),
        )


def run_ndvi(served: Config, item_id: str, directory: Path, **params: Any) -> Product:
    return run(ndvi_job(SCENES[item_id], **params), directory, lambda share: None, served)


def dn_of(shared_data: Path, item_id: str) -> tuple[Dense, Dense]:
    """DN of red and near infrared."""
    red, nir = (read_tif(scene_file(shared_data, item_id, name)) for name in ("B04.tif", "B08.tif"))
    return red.astype(np.float64), nir.astype(np.float64)


def expected_ndvi(shared_data: Path, item_id: str, shift: float = 0.0) -> Dense:
    red, nir = dn_of(shared_data, item_id)
    return float_ndvi(red * 1e-4 + shift, nir * 1e-4 + shift, (red != 0) & (nir != 0))


def ndvi_of_rio_tiler(shared_data: Path, item_id: str) -> np.ma.MaskedArray[Any, Any]:
    bands = []
    for name in ("B04.tif", "B08.tif"):
        with Reader(str(scene_file(shared_data, item_id, name))) as file:
            bands.append(file.read().array.astype(np.float64))
    both = np.ma.MaskedArray(np.concatenate(bands), mask=np.concatenate([np.ma.getmaskarray(band) for band in bands]))
    image = ImageData(both, band_names=["red", "nir"]).apply_expression("(nir-red)/(nir+red)")
    ndvi: np.ma.MaskedArray[Any, Any] = image.array[0]
    return ndvi


@pytest.mark.parametrize("item_id", sorted(SCENES))
def test_ndvi_is_that_of_numpy_and_rio_tiler(shared_data: Path, served: Config, tmp_path: Path, item_id: str) -> None:
    product = run_ndvi(served, item_id, tmp_path)
    pixels, expected = read_tif(product.path), expected_ndvi(shared_data, item_id)
    np.testing.assert_array_equal(np.isnan(pixels), np.isnan(expected))
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=1e-6)
    theirs = ndvi_of_rio_tiler(shared_data, item_id)
    np.testing.assert_array_equal(np.isnan(pixels), np.ma.getmaskarray(theirs))
    np.testing.assert_allclose(pixels, theirs.filled(np.nan), rtol=0, atol=1e-6)
    with rasterio.open(product.path) as file, rasterio.open(scene_file(shared_data, item_id, "B04.tif")) as red:
        assert (file.crs, file.transform, file.shape) == (red.crs, red.transform, red.shape)
    assert (product.proj_code, product.shape, product.gsd) == ("EPSG:32633", (915, 915), 120)


@pytest.mark.parametrize("item_id", [CLOUDY, NEIGHBOUR])
def test_statistics_are_those_of_the_whole_scene(
    shared_data: Path, served: Config, tmp_path: Path, item_id: str
) -> None:
    statistics = run_ndvi(served, item_id, tmp_path).statistics
    expected = expected_ndvi(shared_data, item_id)
    valid = expected[~np.isnan(expected)]
    assert 0 < valid.size < expected.size
    assert statistics["minimum"] == pytest.approx(valid.min(), abs=1e-6)
    assert statistics["maximum"] == pytest.approx(valid.max(), abs=1e-6)
    assert statistics["mean"] == pytest.approx(valid.mean(), abs=1e-6)
    assert statistics["stddev"] == pytest.approx(valid.std(), abs=1e-6)
    assert statistics["valid_percent"] == pytest.approx(100 * valid.size / expected.size)
    counts, _ = np.histogram(valid, bins=20, range=(-1, 1))
    # A value near an edge may fall on either side of it, as float32 rounds.
    edges = np.linspace(-1, 1, 21)[1:-1]
    near = sum(int((np.abs(valid - edge) < 1e-6).sum()) for edge in edges)
    assert sum(statistics["histogram"]["buckets"]) == valid.size
    assert np.abs(np.array(statistics["histogram"]["buckets"]) - counts).sum() <= 2 * near


@pytest.mark.parametrize("colormap", ["rdylgn", "viridis", "greens"])
def test_colored_ndvi_has_the_same_values_by_scale_and_offset(
    shared_data: Path, served: Config, tmp_path: Path, colormap: str
) -> None:
    product = run_ndvi(served, CLOUDY, tmp_path, colormap=colormap)
    expected = expected_ndvi(shared_data, CLOUDY)
    with rasterio.open(product.path) as file:
        index, (scale,), (offset,) = file.read(1), file.scales, file.offsets
        assert (file.dtypes, file.nodata, file.colormap(1)[0][3]) == (("uint8",), 0, 0)
    np.testing.assert_array_equal(index == 0, np.isnan(expected))
    valid = index != 0
    exact = 1 + (expected[valid] + 1) * 127
    assert np.abs(index[valid] - exact).max() <= 0.5 + 1e-3
    assert np.abs(index[valid] * scale + offset - expected[valid]).max() <= 0.5 / 127 + 1e-5


@pytest.mark.parametrize("item_id", sorted(SCENES))
def test_wrong_offset_that_the_items_declare_is_not_used(
    shared_data: Path, served: Config, tmp_path: Path, item_id: str
) -> None:
    right, wrong = expected_ndvi(shared_data, item_id), expected_ndvi(shared_data, item_id, -0.1)
    assert abs(np.nanmean(right) - np.nanmean(wrong)) > 0.05
    provenance = run_ndvi(served, item_id, tmp_path).provenance
    (scene,) = provenance["scenes"]
    assert scene["item"] == item_id
    assert scene["processing_baseline"] == "05.09"
    assert {name: told["offset"] for name, told in scene["bands"].items()} == {"red": 0, "nir": 0}
    assert all("boa_offset_applied" in told["offset_reason"] for told in scene["bands"].values())


def read_band(asked: Band, on: Grid | None = None) -> tuple[Float32Array, BoolArray]:
    config = config_for()
    with gdal_environment(), described(asked, config) as raster:
        on = on or raster.grid
        return read_reflectance(raster, asked, on, Window(0, 0, on.width, on.height))


@pytest.mark.parametrize("name", ["swir1", "swir2"])
def test_real_20_m_band_comes_to_the_10_m_grid_of_red(shared_data: Path, name: str) -> None:
    folder = shared_data / "xarray_spatial_s2"
    with rasterio.open(folder / "red.tif") as red:
        on = Grid.of(red)
    coarse = read_tif(folder / f"{name}.tif").astype(np.float64)
    reflectance, valid = read_band(band(folder / f"{name}.tif", scale=1e-4), on)
    assert (coarse > 0).all()
    assert valid.all()
    rows, columns = (np.arange(size) // 2 for size in on.shape)
    padded = np.pad(coarse, 1, mode="edge")
    around = [padded[down : down + coarse.shape[0], right : right + coarse.shape[1]]
              for down in range(3) for right in range(3)]  # fmt: skip
    low, high = (extreme(around, axis=0)[np.ix_(rows, columns)] * 1e-4 for extreme in (np.min, np.max))
    assert (reflectance >= low - 1e-6).all()
    assert (reflectance <= high + 1e-6).all()
    parents = coarse[np.ix_(rows, columns)] * 1e-4
    assert np.corrcoef(reflectance.ravel(), parents.ravel())[0, 1] > 0.95


def landsat_band(shared_data: Path, number: int) -> Band:
    return band(landsat_file(shared_data, f"SR_B{number}.TIF"), scale=2.75e-5, offset=-0.2)


@pytest.mark.parametrize(("name", "file"), [("red", "SR_B4.TIF"), ("nir", "SR_B5.TIF")])
def test_real_landsat_item_from_before_stac_1_has_the_right_file_or_a_named_error(
    shared_data: Path, name: str, file: str
) -> None:
    item = json.loads(landsat_file(shared_data, "SR_stac.json").read_text())
    hrefs = {key: asset["href"].rpartition("/")[2] for key, asset in item["assets"].items()}
    sources = {key: RemoteFile(url=f"https://files.example/{href}") for key, href in hrefs.items()}
    scene = Scene(id=SceneId(provider="landsat", original_id=LANDSAT), item=item, sources=sources)
    with suppress(RasterError):
        assert resolve_band(scene, name).source == RemoteFile(url=f"https://files.example/{LANDSAT}_{file}")


def test_real_landsat_band_becomes_reflectance(shared_data: Path) -> None:
    raw = read_tif(landsat_file(shared_data, "SR_B4.TIF"))
    reflectance, valid = read_band(landsat_band(shared_data, 4))
    np.testing.assert_array_equal(valid, (raw != 0) & (raw != 65535))
    expected = (raw.astype(np.float64) * 2.75e-5 - 0.2).clip(0)
    np.testing.assert_allclose(reflectance[valid], expected[valid], rtol=2e-7)


def test_ndvi_of_real_landsat_bands_is_that_of_their_description(shared_data: Path) -> None:
    (red, valid_red), (nir, valid_nir) = (read_band(landsat_band(shared_data, number)) for number in (4, 5))
    quality = read_tif(landsat_file(shared_data, "QA_PIXEL.TIF"))
    clear = valid_red & valid_nir & ((quality & 0b111111) == 0)
    ndvi = float_ndvi(red.astype(np.float64), nir.astype(np.float64), clear)
    # The median in the description of the data. Without scale and offset it would be 0.40.
    assert np.nanmedian(ndvi) == pytest.approx(0.78, abs=0.01)
