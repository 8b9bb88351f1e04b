"""The parts of NDVI alone: `python -m bench.floor RED NIR` prints seconds of three rounds of each as JSON.

Decoding, the arithmetic and encoding each work on memory that is ready, with as many threads as there are cores.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from processing.raster.cog.levels import BLOCK
from processing.raster.cog.overviews import halving_for
from processing.raster.cog.pyramid import WINDOW
from processing.raster.cog.tiles import TileCodec, predictor_for
from processing.raster.operations.ndvi import OPERATION, NdviParams

_ROUNDS = 3
_STRIP_ROWS = 16
_ZERO_REFLECTANCE = 1000
_NUMBERS = npt.NDArray[np.uint16]
_NDVI = npt.NDArray[np.float32]


def main(paths: list[Path]) -> None:
    with rasterio.open(paths[0]) as file:
        shape = file.shape
    bands = [np.ones(shape, np.uint16) for _ in paths]
    ndvi = np.ones(shape, np.float32)
    parts: dict[str, Callable[[], None]] = {
        "decode": lambda: _decode(paths, bands),
        "kernel": lambda: _side_by_side(
            lambda rows: _compute(bands[0][rows], bands[1][rows], ndvi[rows]), _strips(shape)
        ),
        "encode": lambda: _side_by_side(lambda window: _encode(ndvi[window]), _windows(shape)),
    }
    print(json.dumps({name: [_seconds(part) for _ in range(_ROUNDS)] for name, part in parts.items()}))


def _seconds(part: Callable[[], None]) -> float:
    started = time.perf_counter()
    part()
    return time.perf_counter() - started


def _side_by_side(work: Callable[[Any], object], things: Iterable[Any]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, things):
            pass


def _decode(paths: list[Path], bands: list[_NUMBERS]) -> None:
    """Each thread reads every so many-th window, with files of its own."""
    threads = os.cpu_count() or 1
    windows = list(_windows(bands[0].shape))
    _side_by_side(lambda first: _decode_windows(paths, bands, windows[first::threads]), range(threads))


def _decode_windows(paths: list[Path], bands: list[_NUMBERS], windows: list[tuple[slice, slice]]) -> None:
    for path, band in zip(paths, bands, strict=True):
        with rasterio.open(path, sharing=False) as file:
            for window in windows:
                file.read(1, window=Window.from_slices(*window), out=band[window])


def _compute(red: _NUMBERS, nir: _NUMBERS, ndvi: _NDVI) -> None:
    """The least arithmetic for the values: no statistics, no saturated pixels, no masks."""
    for first in range(0, len(red), _STRIP_ROWS):
        rows = slice(first, first + _STRIP_ROWS)
        r, n = (np.maximum(band[rows], _ZERO_REFLECTANCE).astype(np.float32) for band in (red, nir))
        np.subtract(n, r, out=ndvi[rows])
        n += r
        n -= 2 * _ZERO_REFLECTANCE
        with np.errstate(invalid="ignore"):
            np.divide(ndvi[rows], n, out=ndvi[rows])
        ndvi[rows][(red[rows] == 0) | (nir[rows] == 0)] = np.nan


def _encode(ndvi: _NDVI) -> None:
    pixel_format = OPERATION.pixel_format(NdviParams())
    codec = TileCodec(compression="deflate", predictor=predictor_for("float32", has_palette=False))
    for pixels in (ndvi, halving_for(pixel_format)(ndvi)):
        for rows, columns in _slices(pixels.shape, BLOCK):
            codec.encode(np.ascontiguousarray(pixels[rows, columns]))


def _windows(shape: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    return _slices(shape, WINDOW)


def _strips(shape: tuple[int, int]) -> Iterator[slice]:
    return (slice(first, first + WINDOW) for first in range(0, shape[0], WINDOW))


def _slices(shape: tuple[int, int], side: int) -> Iterator[tuple[slice, slice]]:
    height, width = shape
    for row in range(0, height, side):
        for column in range(0, width, side):
            yield slice(row, min(height, row + side)), slice(column, min(width, column + side))


if __name__ == "__main__":
    main([Path(text) for text in sys.argv[1:]])
