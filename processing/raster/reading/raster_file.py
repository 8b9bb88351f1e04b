"""What is known of one raster of a scene, and opening it for a thread."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Self

import numpy as np
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ..errors import SceneTooLarge
from ..files import LocalCopy, Span, runs
from ..grids import Grid
from ..grids.grid import outer_window
from ..types import Band, Limits, Mask, PixelArray
from .block_layout import BlockLayout, spread_blocks
from .checks import (
    check_georeferenced,
    check_is_one_band,
    check_pixels,
    check_size,
    named_errors,
    unreadable,
)
from .readable_file import ReadableFile

_SAMPLE_SIDE = 512  # pixels
_DESCRIPTION = "description"
_COARSER = 2  # an overview is at least so many times coarser than its raster
_AROUND = 2  # pixels beyond a part that is warped
_NO_GEOREFERENCE = {"GEOREF_SOURCES": "NONE"}


@dataclass(frozen=True, kw_only=True)
class RasterFile:
    """The description of one raster, by which windows are planned. `open` makes it ready for a thread.

    `layout` says where the blocks of a remote file lie, which are fetched as they are needed. None if the whole file is
    on this machine's disk.
    """

    file: ReadableFile
    grid: Grid
    block_shape: tuple[int, int]  # (rows, columns)
    dtype: np.dtype[Any]
    layout: BlockLayout | None = None
    nodata: float | None = None  # as the file declares it
    overviews: tuple[int, ...] = ()  # how much coarser than the raster each of them is

    @classmethod
    def describe(cls, wanted: Band | Mask, limits: Limits, copy: LocalCopy | None = None) -> Self:
        """See what the file is, unless an earlier job has lately.

        Raises SceneUnreadable, SceneTooLarge and what fetching raises.
        """
        file = ReadableFile(wanted=wanted, limits=limits, copy=copy)
        facts = copy.facts if copy else {}
        if _DESCRIPTION not in facts:
            with named_errors(wanted):
                described = _described(file)
            if copy is None or described["layout"] is None or not copy.has_only_its_first_head:
                return cls(file=file, **described)
            facts[_DESCRIPTION] = described  # what it takes is in the head with which the next job begins
        return cls(file=file, **facts[_DESCRIPTION])

    @property
    def wanted(self) -> Band | Mask:
        return self.file.wanted

    @property
    def etag(self) -> str | None:
        """The version of a remote file, as its host names it; None if it does not, or the file is of this machine."""
        return self.file.copy.etag if self.file.copy else None

    @property
    def facts(self) -> dict[str, Any]:
        """What was found out about this version of a remote file, for later jobs, too; of no other file anything."""
        return self.file.copy.facts if self.file.copy else {}

    def open(self, *, located: bool = False) -> "OpenRaster":
        """Open the file for one thread. Raises SceneUnreadable, also if it was replaced since it was described.

        Its CRS is left out unless `located`: setting it up in a fresh thread costs more than opening the file.
        """
        with named_errors(self.wanted), ExitStack() as on_error:
            dataset = on_error.enter_context(self.file.open(**({} if located else _NO_GEOREFERENCE)))
            check_size(dataset, self.wanted, self.file.limits)
            if located:
                check_georeferenced(dataset, self.wanted)
            self._check_unchanged(dataset)
            on_error.pop_all()
            return OpenRaster(self, dataset)

    def check_pixels_of(self, rows: slice, columns: slice) -> None:
        """Raises SceneTooLarge if this part of the raster needs more pixels than a job may read: blocks are decoded."""
        parts = zip((rows, columns), self.block_shape, self.grid.shape, strict=True)
        height, width = (_blockwise(part, block, side) for part, block, side in parts)
        check_pixels(height * width, self.wanted, self.file.limits)

    def overview(self, longest_side: int) -> PixelArray:
        """DN of the whole raster at no more than that many rows and columns, from the overview that fits.

        Raises SceneTooLarge if even that overview has more pixels than a job may read.
        """
        shrink = max(1.0, max(self.grid.shape) / longest_side)
        shape = tuple(max(1, int(side / shrink)) for side in self.grid.shape)
        with named_errors(self.wanted):
            level = self._overview_level(shrink)
            dataset, layout = self.file.open_with_layout(OVERVIEW_LEVEL="NONE" if level is None else f"{level}only")
            with dataset:
                check_pixels(dataset.width * dataset.height, self.wanted, self.file.limits)
                self._bring(layout.spans if layout else ())
                return self.with_one_nodata(dataset.read(1, out_shape=shape))

    def part(self, grid: Grid, shrink: float) -> tuple[PixelArray, Grid]:
        """DN under `grid` and a little beyond it, and their own grid: of the overview that is `shrink` times coarser.

        That is the coarsest that is at least as fine. Raises SceneTooLarge, and what fetching raises.
        """
        with named_errors(self.wanted):
            level = self._overview_level(shrink)
            dataset, layout = self.file.open_with_layout(OVERVIEW_LEVEL="NONE" if level is None else f"{level}only")
            with dataset:
                coarse = Grid.of(dataset)
                window = outer_window(coarse.footprint_of(grid)[0].buffer(_AROUND).intersection(coarse.rectangle))
                if window is None:
                    raise unreadable(self.wanted, "does not lie under the result")
                check_pixels(int(window.width * window.height), self.wanted, self.file.limits)
                self._bring(layout.spans_of(*window.toslices()) if layout else ())
                return self.with_one_nodata(dataset.read(1, window=window)), coarse.cut(window)

    def sample(self, longest_side: int = _SAMPLE_SIDE) -> PixelArray:
        """DN that stand for the whole raster, flat: its overview or, if none at its head fits, a few blocks of it."""
        if self.overviews:
            with suppress(SceneTooLarge):
                return self.overview(longest_side).ravel()
        parts = spread_blocks(self.grid.shape, self.block_shape, longest_side**2)
        self._bring(chain.from_iterable(self._spans(rows, columns) for rows, columns in parts))
        with self.open() as opened, named_errors(self.wanted):
            return np.concatenate([opened.dn(rows, columns).ravel() for rows, columns in parts])

    def with_one_nodata(self, dn: PixelArray) -> PixelArray:
        """The same array, in which the second nodata of a band has become the first."""
        if isinstance(self.wanted, Band) and self.wanted.other_nodata is not None:
            dn[dn == self.wanted.other_nodata] = self.wanted.nodata
        return dn

    def for_band(self, band: Band) -> Self:
        """The same raster, read as `band`."""
        return replace(self, file=replace(self.file, wanted=band))

    def fetches(self, rows: slice, columns: slice) -> Iterator[Callable[[], None]]:
        """The requests that this part of the raster needs. Each may be made by a thread of its own."""
        for run in runs(self._spans(rows, columns)):
            yield partial(self._bring, run)

    def bring(self, rows: slice, columns: slice) -> None:
        """Return once this part of the raster is on this machine's disk. Raises what fetching does."""
        self._bring(self._spans(rows, columns))

    def fetch_all(self) -> Self:
        """The same raster once its whole file is on this machine's disk. For one thread only."""
        if not (self.file.copy and self.layout):
            return self
        with named_errors(self.wanted):
            self.file.copy.bring_all()
        return replace(self, layout=None)

    def _overview_level(self, shrink: float) -> int | None:
        """The coarsest overview that is at least as fine as asked for; None for full resolution."""
        if shrink < _COARSER:
            return None
        factors: Sequence[int] = self.overviews
        if not factors and self.layout and not self._is_too_large(self.grid.shape):
            # Writers of plain GeoTIFFs append overviews at the end of the file.
            with self.fetch_all().file.open() as dataset:
                factors = dataset.overviews(1)
        return max((level for level, factor in enumerate(factors) if factor <= shrink), default=None)

    def _is_too_large(self, shape: tuple[int, int]) -> bool:
        return shape[0] * shape[1] > self.file.limits.max_pixels

    def _spans(self, rows: slice, columns: slice) -> Iterable[Span]:
        is_empty = rows.start == rows.stop or columns.start == columns.stop
        return self.layout.spans_of(rows, columns) if self.layout and not is_empty else ()

    def _bring(self, spans: Iterable[Span]) -> None:
        if self.file.copy:
            with named_errors(self.wanted):
                self.file.copy.bring(spans)

    def _check_unchanged(self, dataset: DatasetReader) -> None:
        form = dataset.shape, dataset.block_shapes[0], np.dtype(dataset.dtypes[0])
        if form != (self.grid.shape, self.block_shape, self.dtype):
            raise unreadable(self.wanted, "was replaced while it was read. Submit the job again")


def _blockwise(part: slice, block: int, side: int) -> int:
    """How many rows, or columns, the blocks have on which the part lies."""
    first, end = part.start // block * block, min(-(-part.stop // block) * block, side)
    return max(0, int(end - first))


class OpenRaster:
    """A raster that is open, for one thread. Used as a context manager, which closes it."""

    def __init__(self, raster: RasterFile, dataset: DatasetReader) -> None:
        self.raster, self.dataset = raster, dataset
        self.warps: dict[Resampling, WarpedVRT] = {}  # kept for the next window, as setting one up takes long

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for warp in self.warps.values():
            warp.close()
        self.dataset.close()

    def dn(self, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster as it stands in the file: (rows, columns)."""
        if rows.start == rows.stop or columns.start == columns.stop:
            return np.empty((0, 0), dtype=self.raster.dtype)
        self.raster.bring(rows, columns)
        return self.raster.with_one_nodata(self.dataset.read(1, window=Window.from_slices(rows, columns)))


def _described(file: ReadableFile) -> dict[str, Any]:
    """The fields of a RasterFile, besides its file."""
    dataset, layout = file.open_with_layout()
    with dataset:
        check_size(dataset, file.wanted, file.limits)
        check_georeferenced(dataset, file.wanted)
        check_is_one_band(dataset, file.wanted)
        return {
            "grid": Grid.of(dataset),
            "block_shape": dataset.block_shapes[0],
            "dtype": np.dtype(dataset.dtypes[0]),
            "layout": layout,
            "nodata": dataset.nodata,
            "overviews": tuple(dataset.overviews(1)),
        }
