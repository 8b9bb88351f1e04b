"""Our COGs beside those that GDAL's own driver makes of the same pixels: any size, type, nodata and palette."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import rasterio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.io import DatasetReader
from rasterio.shutil import copy as copy_raster
from rio_tiler.io import Reader
from tifffile import TiffFile

from processing.raster.cog import ifd
from processing.raster.types import BoolArray, Compression, PixelArray, PixelFormat
from tests.raster.support.cogs import (
    COMPRESSIONS,
    assert_tifffile_reads,
    first_overview,
    is_one_wide_column,
    is_valid,
    write_cog,
)
from tests.raster.support.rasters import grid, write_tif

SIDES = st.one_of(st.sampled_from([1, 2, 511, 512, 513, 1023, 1024, 1025, 2049]), st.integers(1, 1600))
CODES = 5  # classes of a raster whose overviews take the mode


@st.composite
def pixel_formats(draw: st.DrawFn) -> PixelFormat:
    """Formats that the writer can write. Nodata of integers is the lowest or the highest."""
    dtype = draw(st.sampled_from(["float32", "uint8", "uint16"]))
    if dtype == "float32":
        return PixelFormat(dtype=dtype, nodata=float("nan"), overview_resampling="average")
    limits = np.iinfo(dtype)
    colors = draw(st.integers(0, 256)) if dtype == "uint8" else 0
    return PixelFormat(
        dtype=dtype,
        nodata=draw(st.sampled_from([limits.min, limits.max])),
        overview_resampling=draw(st.sampled_from(["average", "mode"])),
        palette=tuple((index, 255 - index, index // 2, 255) for index in range(colors)),
    )


def patches(layout: PixelFormat, rows: int, columns: int, seed: int) -> PixelArray:
    """Patches with holes and ragged edges: most pixels have equal neighbours, and some have others."""
    random = np.random.default_rng(seed)
    shape = rows // 3 + 1, columns // 3 + 1
    coarse: PixelArray
    if layout.dtype == "float32":
        coarse = random.uniform(-1, 1, shape).astype(np.float32)
    else:
        limits = np.iinfo(layout.dtype)
        codes = CODES if layout.overview_resampling == "mode" else limits.max
        low = limits.min + (1 if layout.nodata == limits.min else 0)
        coarse = random.integers(low, min(low + codes, limits.max), shape).astype(layout.dtype)
    pixels = coarse.repeat(3, axis=0).repeat(3, axis=1)[:rows, :columns].copy()
    pixels[random.random(pixels.shape) < 0.2] = layout.nodata
    return pixels


def write_theirs(path: Path, pixels: PixelArray, layout: PixelFormat, *, big: bool = False) -> None:
    """By GDAL's COG driver, which averages the colors of a palette in its overviews."""
    plain = write_tif(path.with_name("plain.tif"), pixels, nodata=layout.nodata)
    if layout.palette:
        with rasterio.open(plain, "r+") as file:
            file.write_colormap(1, dict(enumerate(layout.palette)))
    copy_raster(
        plain, path, driver="COG", overview_resampling=layout.overview_resampling, bigtiff="YES" if big else "NO"
    )


def assert_same_facts(ours: DatasetReader, theirs: DatasetReader) -> None:
    np.testing.assert_array_equal(ours.read(1), theirs.read(1))
    np.testing.assert_array_equal(ours.read_masks(1), theirs.read_masks(1))
    for fact in ("shape", "dtypes", "crs", "transform", "colorinterp", "count"):
        assert getattr(ours, fact) == getattr(theirs, fact), fact
    np.testing.assert_array_equal(ours.nodata, theirs.nodata)
    assert ours.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == theirs.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    if ours.colorinterp[0].name == "palette":
        assert ours.colormap(1) == theirs.colormap(1)


def assert_rio_tiler_reads(path: Path, pixels: PixelArray, valid: BoolArray) -> None:
    with Reader(str(path)) as reader:
        found = reader.read().array
    np.testing.assert_array_equal(~np.ma.getmaskarray(found)[0], valid)
    np.testing.assert_array_equal(found.data[0][valid], pixels[valid])


def levels_of(path: Path) -> list[PixelArray]:
    """All resolutions, from the full one on."""
    with rasterio.open(path) as file:
        levels = [file.read(1)]
        overviews = len(file.overviews(1))
    for level in range(overviews):
        with rasterio.open(path, overview_level=level) as overview:
            levels.append(overview.read(1))
    return levels


def halved_by_gdal(pixels: PixelArray, layout: PixelFormat, folder: Path) -> PixelArray:
    """The first overview of GDAL's COG. GDAL leaves out half a pixel of an odd side, so nodata is added to it."""
    rows, columns = pixels.shape
    even = np.full((rows + rows % 2, columns + columns % 2), layout.nodata, dtype=pixels.dtype)
    even[:rows, :columns] = pixels
    without_palette = PixelFormat(
        dtype=layout.dtype, nodata=layout.nodata, overview_resampling=layout.overview_resampling
    )
    write_theirs(folder / "halved.tif", even, without_palette)
    return first_overview(folder / "halved.tif")


def undecided(
    finer: PixelArray, nodata: float, shape: Sequence[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether several classes have most of the four pixels, so that each of them is right."""
    four = np.full((4, *shape), nodata, dtype=finer.dtype)
    for index in range(4):
        quarter = finer[index // 2 :: 2, index % 2 :: 2]
        four[index, : quarter.shape[0], : quarter.shape[1]] = quarter
    votes = np.stack([((four == each) & (each != nodata)).sum(axis=0) for each in four])
    winner = np.take_along_axis(four, votes.argmax(axis=0)[np.newaxis], axis=0)
    others: BoolArray = ((votes == votes.max(axis=0)) & (four != winner) & (four != nodata)).any(axis=0)
    return others


def assert_alike_to_rounding(ours: PixelArray, theirs: PixelArray, finer: PixelArray, layout: PixelFormat) -> None:
    assert ours.shape == theirs.shape
    if layout.dtype == "float32":
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6, equal_nan=True)
        return
    np.testing.assert_array_equal(ours == layout.nodata, theirs == layout.nodata)
    if layout.overview_resampling == "average":
        assert np.abs(ours.astype(int) - theirs).max() <= 1
        return
    decided = ~undecided(finer, layout.nodata, ours.shape)
    np.testing.assert_array_equal(ours[decided], theirs[decided])


@settings(max_examples=60)
@given(
    width=SIDES,
    height=SIDES,
    layout=pixel_formats(),
    compression=st.sampled_from(COMPRESSIONS),
    is_big=st.booleans(),
    seed=st.integers(0, 99),
)
@example(2049, 1025, PixelFormat(dtype="float32", nodata=float("nan"), overview_resampling="average"), "zstd", True, 0)
@example(1600, 1537, PixelFormat(dtype="uint8", nodata=255, overview_resampling="mode"), "deflate", False, 0)
def test_cog_is_that_of_gdals_own_driver(
    width: int, height: int, layout: PixelFormat, compression: Compression, is_big: bool, seed: int
) -> None:
    on, pixels = grid(width, height), patches(layout, height, width, seed)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        ours, theirs = folder / "ours.tif", folder / "theirs.tif"
        if is_big:
            patch.setattr(ifd, "_CLASSIC_LIMIT", 0)
        write_cog(ours, on, layout, pixels, compression)
        write_theirs(theirs, pixels, layout, big=is_big)
        with rasterio.open(ours) as file, rasterio.open(theirs) as other:
            assert_same_facts(file, other)
            assert_rio_tiler_reads(ours, pixels, other.read_masks(1) > 0)
            # Half of an odd side is rounded up, by GDAL down, which may be small enough.
            assert len(file.overviews(1)) - len(other.overviews(1)) in (0, 1)
        assert_tifffile_reads(ours, pixels)
        with TiffFile(ours) as file, TiffFile(theirs) as other:
            assert file.is_bigtiff == other.is_bigtiff == is_big
        assert is_valid(ours) or is_one_wide_column(on)
        levels = levels_of(ours)
        for finer, level in pairwise(levels):
            assert_alike_to_rounding(level, halved_by_gdal(finer, layout, folder), finer, layout)
