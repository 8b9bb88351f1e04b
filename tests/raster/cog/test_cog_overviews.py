"""The overviews of a COG: how many there are, what their pixels mean, and that nodata is left out."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from tifffile import TiffFile

from processing.raster.types import PixelArray, PixelFormat
from tests.raster.support.cogs import FORMATS, first_overview, pixels_for, write_cog
from tests.raster.support.rasters import grid
from tests.raster.support.tile_decoding import decode_pages, pages_of


@pytest.mark.parametrize(("width", "height"), [(513, 700), (1025, 1023), (2049, 600), (2200, 2111)])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_overviews_are_halves_as_gdal_reads_them_until_one_tile_is_enough(
    tmp_path: Path, width: int, height: int, name: str
) -> None:
    on, layout, path = grid(width, height), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    levels = decode_pages(path)[1:]
    for index, pixels in enumerate(levels):
        assert pixels.shape == (-(-height // 2 ** (index + 1)), -(-width // 2 ** (index + 1)))
        with rasterio.open(path, overview_level=index) as overview:
            np.testing.assert_array_equal(overview.read(1), pixels)
    with TiffFile(path) as file:
        tile = pages_of(file)[-1].tilewidth
    assert max(levels[-1].shape) <= tile < max((height, width) if len(levels) == 1 else levels[-2].shape)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_overviews_declare_the_same_format(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(1025, 1100), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    with TiffFile(path) as file:
        pages = pages_of(file)
        assert [page.is_reduced for page in pages] == [False, True, True]
        for page in pages:
            np.testing.assert_array_equal(page.nodata, layout.nodata)
            assert page.dtype == layout.dtype
            np.testing.assert_array_equal(page.colormap, pages[0].colormap)


def quarters(pixels: PixelArray) -> PixelArray:
    """The four pixels under each pixel of the first overview: (4, rows, columns)."""
    return np.stack([pixels[row::2, column::2] for row in (0, 1) for column in (0, 1)])


@pytest.mark.parametrize("name", ["palette", "uint16"])
def test_mean_of_valid_pixels_never_becomes_nodata(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(1024, 1024), FORMATS[name], tmp_path / "result.tif"
    pixels = np.random.default_rng(7).choice([0, 0, 0, 1, 2], on.shape).astype(layout.dtype)
    write_cog(path, on, layout, pixels)
    np.testing.assert_array_equal(first_overview(path) == 0, (quarters(pixels) == 0).all(axis=0))


def test_indices_of_a_palette_are_averaged_and_not_their_colors(tmp_path: Path) -> None:
    # Halfway between the colors of 10 and 30 lies the color of 200.
    colors = [(0, 0, 0, 0), *((1, 1, 1, 255) for _ in range(255))]
    colors[10], colors[30], colors[200] = (100, 0, 0, 255), (200, 0, 0, 255), (150, 0, 0, 255)
    layout = PixelFormat(dtype="uint8", nodata=0, overview_resampling="average", palette=tuple(colors))
    on, path = grid(1024, 1024), tmp_path / "result.tif"
    pixels = np.full(on.shape, 10, np.uint8)
    pixels[:, ::2] = 30
    write_cog(path, on, layout, pixels)
    assert (first_overview(path) == 20).all()


def test_overviews_leave_nodata_out_of_the_average(tmp_path: Path) -> None:
    on, layout, path = grid(1024, 1024), FORMATS["float32"], tmp_path / "result.tif"
    pixels = np.full(on.shape, 0.5, np.float32)
    pixels[:, ::2] = np.nan
    write_cog(path, on, layout, pixels)
    assert (first_overview(path) == 0.5).all()
