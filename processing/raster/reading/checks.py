"""What a raster must be to be read as a band or a mask. Refusals and errors name the scene and its asset."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil, isfinite

import numpy as np
from rasterio.io import DatasetReader

from ..errors import RasterError, SceneTooLarge, SceneUnreadable
from ..gdal import GdalError, gdal_errors
from ..grids import Grid
from ..types import Band, Limits, Mask

# Limits that no scene of a catalogue comes near, and that a made-up file must not exceed.
_MOST_BANDS = 64
_MOST_BLOCK_PIXELS = 16 << 20
_MOST_BLOCK_BYTES = 64 << 20
# The blocks of a file are listed in memory.
_MOST_BLOCKS = 8_000_000
_PIXEL_METRES = (0.01, 100_000.0)
_BANDS_OF_A_PICTURE = 3  # two are a band and its alpha
_DTYPES = ("uint8", "uint16", "int16", "float32")


@contextmanager
def named_errors(wanted: Band | Mask) -> Iterator[None]:
    """Turn GDAL's errors into SceneUnreadable, and let every error name the scene and its asset."""
    try:
        with gdal_errors():
            yield
    except GdalError as error:
        raise unreadable(wanted, "cannot be read as a GeoTIFF or JPEG 2000 image") from error
    except RasterError as error:
        error.details = {**_where(wanted), **error.details}
        raise


def unreadable(wanted: Band | Mask, fault: str) -> SceneUnreadable:
    """`fault` ends a sentence that begins with the file."""
    return SceneUnreadable(f"{_name(wanted)} {fault}.", **_where(wanted))


def check_size(dataset: DatasetReader, wanted: Band | Mask, limits: Limits) -> None:
    """Refuse what cannot be read window by window in bounded time and memory, before a pixel is read.

    The file may have more pixels than a job may read, as a job may need few of them. A JPEG 2000 image may not: it is
    fetched whole, and its parts can be as large as itself. Raises SceneTooLarge or SceneUnreadable.
    """
    if dataset.driver != "GTiff":
        check_pixels(dataset.width * dataset.height, wanted, limits)
    if dataset.dtypes[0] not in _DTYPES:
        raise unreadable(wanted, f"holds {dataset.dtypes[0]} values, which no reflectance has")
    rows, columns = dataset.block_shapes[0]
    # Bands that are interleaved by pixel are decoded together.
    together = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    block_bytes = rows * columns * np.dtype(dataset.dtypes[0]).itemsize * together
    if dataset.count > _MOST_BANDS or rows * columns > _MOST_BLOCK_PIXELS or block_bytes > _MOST_BLOCK_BYTES:
        layout = f"has {dataset.count} bands in blocks of {columns} x {rows} pixels"
        raise _too_large(wanted, f"{layout}, which cannot be read window by window")
    if ceil(dataset.height / rows) * ceil(dataset.width / columns) > _MOST_BLOCKS:
        size = f"has {dataset.width} x {dataset.height} pixels in blocks of {columns} x {rows}"
        raise _too_large(wanted, f"{size}; this service reads files of up to {_MOST_BLOCKS:,} blocks")


def check_pixels(pixels: int, wanted: Band | Mask, limits: Limits) -> None:
    """Raises SceneTooLarge if a job may not read so many pixels of one file."""
    if pixels > limits.max_pixels:
        count = f"{pixels:,} pixels that have to be read; this service reads up to {limits.max_pixels:,.0f} in a job"
        raise _too_large(wanted, f"has {count}. A smaller aoi needs fewer")


def check_is_one_band(dataset: DatasetReader, wanted: Band | Mask) -> None:
    """Raises SceneUnreadable for pictures: they hold colours, not reflectance."""
    if not isinstance(wanted, Band):
        return
    if dataset.count >= _BANDS_OF_A_PICTURE:
        raise unreadable(wanted, f"has {dataset.count} bands, so it is a picture or a stack of bands, not the one band")
    if dataset.dtypes[0] == "uint8":
        raise unreadable(wanted, "holds uint8 values, so it is a picture and not reflectance")


def check_georeferenced(dataset: DatasetReader, wanted: Band | Mask) -> None:
    """Raises SceneUnreadable."""
    if not is_georeferenced(dataset):
        raise unreadable(wanted, "does not say where on the ground it lies")


def is_georeferenced(dataset: DatasetReader) -> bool:
    """Whether the file says where on the ground it lies, in a CRS of maps or of degrees."""
    if dataset.crs is None or dataset.transform.is_identity or dataset.transform.is_degenerate:
        return False
    if not all(isfinite(term) for term in tuple(dataset.transform)[:6]):
        return False
    return (dataset.crs.is_projected or dataset.crs.is_geographic) and _has_plausible_pixels(dataset)


def _has_plausible_pixels(dataset: DatasetReader) -> bool:
    """Whether a pixel has a size that a sensor can have."""
    with suppress(ValueError, OverflowError):
        return _PIXEL_METRES[0] <= Grid.of(dataset).gsd <= _PIXEL_METRES[1]
    return False


def _too_large(wanted: Band | Mask, fault: str) -> SceneTooLarge:
    return SceneTooLarge(f"{_name(wanted)} {fault}.", **_where(wanted))


def _name(wanted: Band | Mask) -> str:
    return f"The file of {wanted.asset} of {wanted.scene_id}"


def _where(wanted: Band | Mask) -> dict[str, str]:
    return {"scene_id": wanted.scene_id, "asset": wanted.asset}
