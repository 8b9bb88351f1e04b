"""COGs for tests: formats, pixels, and the checks that readers must find them in the file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate
from tifffile import TiffFile

from processing.raster.cog import CogWriter, WrittenCog
from processing.raster.gdal import gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.types import Compression, PixelArray, PixelFormat
from tests.raster.support.configs import config_for

CONFIG = config_for()
COMPRESSIONS: tuple[Compression, ...] = ("deflate", "zstd")
PALETTE = ((0, 0, 0, 0), *((index, 255 - index, index // 2, 255) for index in range(1, 256)))
CLASS_PALETTE = ((200, 10, 10, 255), (10, 200, 10, 255), (10, 10, 200, 255))
FORMATS = {
    "float32": PixelFormat(dtype="float32", nodata=float("nan"), overview_resampling="average", description="NDVI"),
    "palette": PixelFormat(
        dtype="uint8",
        nodata=0,
        overview_resampling="average",
        scale=1 / 127,
        offset=-1 - 1 / 127,
        description="NDVI",
        palette=PALETTE,
    ),
    "classes": PixelFormat(
        dtype="uint8",
        nodata=255,
        overview_resampling="mode",
        description="change",
        palette=CLASS_PALETTE,
        class_names=("loss", "no change", "gain"),
    ),
    "uint16": PixelFormat(
        dtype="uint16", nodata=0, overview_resampling="average", scale=1e-4, offset=-0.1, description="red"
    ),
}
TAGS = {"ASTRA_OPERATION": "ndvi", "ASTRA_SCENES": "sentinel-2:å"}


def pixels_for(layout: PixelFormat, on: Grid) -> PixelArray:
    """Random pixels with some nodata. Noise, because smooth pixels could be lost unseen."""
    random = np.random.default_rng(on.width)
    if layout.dtype == "float32":
        values: npt.NDArray[np.float32] = random.uniform(-1, 1, on.shape).astype(np.float32)
    elif layout.class_names:
        values = random.integers(0, len(layout.class_names), on.shape).astype(layout.dtype)
    else:
        values = random.integers(1, np.iinfo(layout.dtype).max, on.shape, endpoint=True).astype(layout.dtype)
    values[random.random(on.shape) < 0.1] = layout.nodata
    return values


def write_cog(
    path: Path,
    on: Grid,
    layout: PixelFormat,
    pixels: PixelArray,
    compression: Compression = "deflate",
    windows: Sequence[Window] | None = None,
) -> WrittenCog:
    with gdal_environment(), CogWriter(path, on, layout, TAGS, compression) as writer:
        for window in windows or writer.windows():
            writer.write(window, pixels[window.toslices()])
        writer.write_overviews()
        return writer.finish()


def is_valid(path: Path) -> bool:
    """Whether rio-cogeo finds no error and nothing to warn of."""
    return cog_validate(path, strict=True, quiet=True) == (True, [], [])


def is_one_wide_column(on: Grid) -> bool:
    """Whether the validator refuses any such raster: it wants overviews, and takes their factors from the widths."""
    return on.width == 1 and on.height > 512


def assert_gdal_reads(path: Path, on: Grid, layout: PixelFormat, pixels: PixelArray) -> None:
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), pixels)
        assert (file.count, file.dtypes, file.shape) == (1, (layout.dtype,), on.shape)
        assert (file.crs, file.transform) == (on.crs, on.transform)
        assert (file.scales, file.offsets) == ((layout.scale,), (layout.offset,))
        assert file.descriptions == (layout.description,)
        assert (file.nodata == layout.nodata) or (np.isnan(file.nodata) and np.isnan(layout.nodata))
        assert {**file.tags(), **TAGS} == file.tags()
        class_tags = {f"CLASS_{code}": name for code, name in enumerate(layout.class_names)}
        assert {name: text for name, text in file.tags(1).items() if name.startswith("CLASS_")} == class_tags
        if layout.palette:
            colors = file.colormap(1)
            assert [colors[code] for code in range(len(layout.palette))] == list(layout.palette)


def assert_tifffile_reads(path: Path, pixels: PixelArray) -> None:
    with TiffFile(path) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), pixels)


def first_overview(path: Path) -> PixelArray:
    with rasterio.open(path, overview_level=0) as overview:
        pixels: PixelArray = overview.read(1)
        return pixels
