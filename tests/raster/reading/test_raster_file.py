"""Rasters on the disk: exact values, nodata that never bleeds, and every broken file is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.errors import SceneTooLarge, SceneUnreadable
from processing.raster.types import Config, PixelArray
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import (
    NORTH,
    WEST,
    band,
    described,
    grid,
    random_dn,
    read_all,
    read_reflectance,
    write_tif,
)

pytestmark = pytest.mark.usefixtures("gdal")


def test_file_on_the_same_grid_is_read_exactly(tmp_path: Path, config: Config) -> None:
    dn = random_dn(37, 53)
    reflectance, valid = read_all(band(write_tif(tmp_path / "red.tif", dn, nodata=0)), config)
    np.testing.assert_array_equal(reflectance, dn)
    np.testing.assert_array_equal(valid, dn != 0)


def test_windows_of_one_file_fit_together(tmp_path: Path, config: Config) -> None:
    dn = random_dn(37, 53)
    asked = band(write_tif(tmp_path / "red.tif", dn))
    with described(asked, config) as raster:
        on = raster.grid
        together = np.zeros(on.shape, np.float32)
        for window in on.windows(16):
            together[window.toslices()] = read_reflectance(raster, asked, on, window)[0]
    np.testing.assert_array_equal(together, dn)


def test_nodata_of_the_band_counts_if_the_file_declares_none(tmp_path: Path, config: Config) -> None:
    dn = random_dn(20, 20)
    path = write_tif(tmp_path / "red.tif", dn)
    assert (read_all(band(path), config)[1] == (dn != 0)).all()
    on = grid(40, 40, 5.0)
    reflectance, valid = read_all(band(path), config, on)
    assert reflectance[valid].min() >= 5000
    assert not valid[doubled(dn == 0)].any()


def doubled(field: PixelArray) -> PixelArray:
    return field.repeat(2, axis=0).repeat(2, axis=1)


def neighbourhood(field: PixelArray, combine: Callable[..., PixelArray]) -> PixelArray:
    """`combine` of each pixel and its eight neighbours; beyond the edge the pixels of the edge go on."""
    padded = np.pad(field, 1, mode="edge")
    rows, columns = field.shape
    around = [padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    return combine(np.stack(around), axis=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("holes", [0.0, 0.05, 0.4])
def test_nodata_never_bleeds_from_20_m_to_10_m(tmp_path: Path, config: Config, seed: int, holes: float) -> None:
    dn = random_dn(19, 23, holes, seed)
    path = write_tif(tmp_path / "swir16.tif", dn, grid(23, 19, 20.0), nodata=0)
    reflectance, valid = read_all(band(path), config, grid(46, 38, 10.0))
    whole = doubled(neighbourhood(dn != 0, np.all))
    assert valid[whole].all()
    assert np.isfinite(reflectance[valid]).all()
    assert not valid[doubled(dn == 0)].any()
    low = doubled(neighbourhood(np.where(dn == 0, 9999, dn), np.min))
    high = doubled(neighbourhood(dn, np.max))
    assert (reflectance[valid] >= low[valid] - 1e-2).all()
    assert (reflectance[valid] <= high[valid] + 1e-2).all()


def test_20_m_bands_are_interpolated_at_the_right_place(tmp_path: Path, config: Config) -> None:
    ramp = np.tile(np.arange(1000, 1000 + 100 * 20, 100, dtype=np.uint16), (20, 1))
    path = write_tif(tmp_path / "swir16.tif", ramp, grid(20, 20, 20.0), nodata=0)
    reflectance, _ = read_all(band(path), config, grid(40, 40, 10.0))
    # Centres of 10 m pixels lie a quarter of a 20 m pixel before and behind those of 20 m.
    expected = 1000 + 100 * (np.arange(40) / 2 - 0.25)
    np.testing.assert_allclose(reflectance[20, 2:-2], expected[2:-2], atol=0.01)


def test_nodata_never_bleeds_into_an_average(tmp_path: Path, config: Config) -> None:
    dn = random_dn(24, 24, 0.3)
    path = write_tif(tmp_path / "red.tif", dn, nodata=0)
    reflectance, valid = read_all(band(path), config, grid(12, 12, 20.0))
    blocks = dn.reshape(12, 2, 12, 2).transpose(0, 2, 1, 3).reshape(12, 12, 4).astype(float)
    counts = (blocks > 0).sum(axis=2)
    np.testing.assert_array_equal(valid, counts > 0)
    means = blocks.sum(axis=2) / np.maximum(counts, 1)
    np.testing.assert_allclose(reflectance[valid], means[valid], rtol=1e-6)


def test_ground_beyond_the_file_is_nodata(tmp_path: Path, config: Config) -> None:
    path = write_tif(tmp_path / "red.tif", random_dn(10, 10, 0), nodata=0)
    _, valid = read_all(band(path), config, grid(30, 20))
    assert valid[:10, :10].all()
    assert not valid[11:, :].any()
    assert not valid[:, 11:].any()


def test_file_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "red.tif", random_dn(10, 11))
    with pytest.raises(SceneTooLarge) as error:
        read_all(band(path), config_for(max_pixels=109))
    assert "10" in error.value.message
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}
    read_all(band(path), config_for(max_pixels=110))


def test_file_without_a_place_on_the_ground_is_unreadable(tmp_path: Path, config: Config) -> None:
    dn = random_dn(10, 10)
    no_crs = write_tif(tmp_path / "no_crs.tif", dn, grid(10, 10, epsg=None))
    no_transform = write_tif(tmp_path / "no_transform.tif", dn, transform=None)
    for path in (no_crs, no_transform):
        with pytest.raises(SceneUnreadable, match="where on the ground"):
            read_all(band(path), config)


VRT = f"""<VRTDataset rasterXSize="10" rasterYSize="10"><SRS>EPSG:32619</SRS>
<GeoTransform>{WEST}, 10, 0, {NORTH}, 0, -10</GeoTransform><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
<SourceFilename>%s</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"II",
        b"II*\0",
        b"II*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\x7f",
        b"MM\0*\0\0\0\x08" + b"\xff" * 500,
        b"<html><body>Please log in</body></html>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        bytes(range(256)) * 20,
    ],
)
def test_garbage_is_unreadable(tmp_path: Path, config: Config, content: bytes) -> None:
    path = tmp_path / "red.tif"
    path.write_bytes(content)
    with pytest.raises(SceneUnreadable) as error:
        read_all(band(path), config)
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_truncated_file_is_unreadable(tmp_path: Path, config: Config, share: float) -> None:
    options: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    path = write_tif(tmp_path / "red.tif", random_dn(300, 300), **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SceneUnreadable):
        read_all(band(path), config)


def test_missing_file_is_unreadable(tmp_path: Path, config: Config) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(band(tmp_path / "red.tif"), config)


def test_virtual_raster_in_disguise_is_refused(tmp_path: Path, config: Config) -> None:
    secret = write_tif(tmp_path / "secret.tif", random_dn(10, 10))
    disguised = tmp_path / "red.tif"
    disguised.write_text(VRT % secret)
    with pytest.raises(SceneUnreadable):
        read_all(band(disguised), config)
