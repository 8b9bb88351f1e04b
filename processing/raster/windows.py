"""The windows of one job: read, computed and written by several threads."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, groupby
from typing import Any, Protocol

import numpy as np
from rasterio.windows import Window

from .cog import CogWriter
from .gdal import enter_gdal_environment
from .grids import Overlay
from .grids.ground_areas import GroundAreas
from .operations import Operation, Tally
from .params import Params
from .reading import SceneReader
from .reading.scene_reader import SceneWindow
from .threads import Crew
from .types import BoolArray, PixelArray, Pixels

# Rows that are computed at once: their arrays stay in the processor's cache, and their memory is used again.
_STRIP_ROWS = 128
# More than there are processors, as these threads wait for hosts.
_FETCHERS = 16


@dataclass
class Counts:
    """Pixels asked for; those with data in all bands of all scenes; those among the latter that a mask hides."""

    asked: int = 0
    with_data: int = 0
    masked: int = 0

    def add(self, inside: BoolArray, valid: BoolArray, clear: BoolArray) -> None:
        with_data = int(np.count_nonzero(valid))
        self.asked += int(np.count_nonzero(inside))
        self.with_data += with_data
        self.masked += with_data - int(np.count_nonzero(clear))

    def merge(self, other: "Counts") -> None:
        self.asked += other.asked
        self.with_data += other.with_data
        self.masked += other.masked

    @property
    def masked_percent(self) -> float:
        return 100 * self.masked / self.with_data if self.with_data else 0.0


@dataclass(kw_only=True)
class _Ledger:
    """The counts of one window."""

    tally: Tally
    counts: Counts = field(default_factory=Counts)


class Observer(Protocol):
    """Looks at what is read."""

    def look(self, window: Window, scenes: Sequence[SceneWindow], inside: BoolArray) -> None:
        """`inside` is where in the window the area of interest is: (rows, columns). Called by several threads."""


class WindowWork:
    """All windows of a job. `tally` and `counts` are complete once `write_windows` has ended."""

    def __init__(
        self,
        operation: Operation[Any],
        params: Params,
        readers: Sequence[SceneReader],
        overlay: Overlay,
        threads: int,
        observer: Observer,
    ) -> None:
        self.operation, self.params, self.overlay = operation, params, overlay
        self.scenes = [reader.scene for reader in readers]
        self.tally: Tally = operation.tally(params)
        self.counts = Counts()
        self._readers, self._threads, self._observer = readers, threads, observer
        self._areas = GroundAreas.of(overlay.grid)
        self._dtype = operation.pixel_format(params).dtype
        # Arithmetic is many short calls of numpy, each of which releases the interpreter's lock and takes it again. Two
        # threads that do so delay each other, while decoding and encoding hold no lock. So half of the threads compute.
        self._arithmetic = threading.Semaphore(max(1, threads // 2))

    def write_windows(self, cog: CogWriter) -> Generator[int, None, None]:
        """Read, compute and write every window. Yields the number of windows done.

        Close the iterator if it is not used up: only then do its threads end.
        """
        with ExitStack() as crews:
            computing = crews.enter_context(Crew(self._threads, enter_gdal_environment))
            ledgers = computing.each(lambda window: self._compute(window, cog), self._fetched(cog, crews))
            # Merged in the order of the windows, so that sums are the same to the last digit every time.
            for done, ledger in enumerate(ledgers, start=1):
                self.tally.merge(ledger.tally)
                self.counts.merge(ledger.counts)
                yield done

    def _fetched(self, cog: CogWriter, crews: ExitStack) -> Iterator[Window]:
        """The windows, each once everything that it needs of remote files is on this machine's disk.

        Hosts answer slowly, but many requests at once: other threads fetch for the next rows of windows meanwhile.
        """
        rows = [list(row) for _, row in groupby(cog.windows(), key=lambda window: window.row_off)]
        fetches = [[fetch for reader in self._readers for fetch in reader.fetches(_spanning(row))] for row in rows]
        if not any(fetches):
            yield from chain.from_iterable(rows)
            return
        fetching = crews.enter_context(Crew(_FETCHERS))
        fetched = fetching.each(lambda fetch: fetch(), chain.from_iterable(fetches), ahead=2 * _FETCHERS)
        for row, of_row in zip(rows, fetches, strict=True):
            for _ in of_row:
                next(fetched)
            yield from row

    def _compute(self, window: Window, cog: CogWriter) -> _Ledger:
        scenes = [reader.read(window) for reader in self._readers]
        inside = self.overlay.inside(window)
        ledger = _Ledger(tally=self.operation.tally(self.params))
        self._observer.look(window, scenes, inside)
        with self._arithmetic:
            encoded = self._encoded(window, scenes, inside, ledger)
        cog.write(window, encoded)
        return ledger

    def _encoded(self, window: Window, scenes: Sequence[SceneWindow], inside: BoolArray, ledger: _Ledger) -> PixelArray:
        """The window as it stands in the result, computed strip by strip and counted in the ledger."""
        rows, columns = int(window.height), int(window.width)
        encoded: PixelArray = np.empty((rows, columns), dtype=self._dtype)
        areas = self._areas.of_rows(window)
        for first in range(0, rows, _STRIP_ROWS):
            strip = slice(first, first + _STRIP_ROWS)
            clear = self._clear(ledger.counts, inside[strip], scenes, strip)
            if not clear.any():
                values = np.full(clear.shape, self.operation.nothing)
            else:
                # To an operation, masked pixels are nodata.
                pixels = [Pixels(reflectance=scene.reflectance(strip), valid=clear) for scene in scenes]
                values = self.operation.compute(self.params, pixels)
                ledger.tally.add(values, areas[strip])
            encoded[strip] = self.operation.encode(self.params, values)
        return encoded

    def _clear(self, counts: Counts, inside: BoolArray, scenes: Sequence[SceneWindow], strip: slice) -> BoolArray:
        """Where all scenes have data and no mask hides the ground. Counts what it finds."""
        valid = reduce(lambda valid, scene: scene.valid(strip, valid), scenes, inside)
        clear = reduce(lambda clear, scene: scene.clear(strip, clear), scenes, valid)
        counts.add(inside, valid, clear)
        return clear


def _spanning(row: Sequence[Window]) -> Window:
    """A row of windows as one window."""
    width = row[-1].col_off + row[-1].width - row[0].col_off
    return Window(row[0].col_off, row[0].row_off, width, row[0].height)
