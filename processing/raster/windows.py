"""The windows of one job: read, computed and written by several threads."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, groupby
from typing import Any

import numpy as np
from rasterio.windows import Window

from .cog.writer import CogWriter
from .gdal import enter_gdal_environment
from .grids.overlay import Overlay
from .operations import Operation, Tally
from .params import Params
from .reading import SceneReader, SceneWindow
from .threads import Crew
from .types import BoolArray, PixelArray, Pixels

# Rows that are worked on at once: their arrays stay in the processor's cache, and their memory is used again and again.
_STRIP_ROWS = 128
# Threads that wait for hosts need no processor.
_FETCHERS = 16


@dataclass
class Counts:
    """Pixels asked for; of these, with data in all bands of all scenes; of these, hidden by a mask."""

    asked: int = 0
    with_data: int = 0
    masked: int = 0

    def add(self, inside: BoolArray, valid: BoolArray, seen: BoolArray) -> None:
        with_data = int(np.count_nonzero(valid))
        self.asked += int(np.count_nonzero(inside))
        self.with_data += with_data
        self.masked += with_data - int(np.count_nonzero(seen))

    def merge(self, other: "Counts") -> None:
        self.asked += other.asked
        self.with_data += other.with_data
        self.masked += other.masked

    @property
    def masked_percent(self) -> float:
        return 100 * self.masked / self.with_data if self.with_data else 0.0


@dataclass(kw_only=True)
class _Ledger:
    """What was counted in one window."""

    tally: Tally
    counts: Counts = field(default_factory=Counts)


class WindowWork:
    """All windows of a job. `tally` and `counts` are whole once `write_windows` has ended."""

    def __init__(
        self,
        operation: Operation[Any],
        params: Params,
        readers: Sequence[SceneReader],
        overlay: Overlay,
        threads: int,
    ) -> None:
        self.operation, self.params, self.overlay = operation, params, overlay
        self.scenes = [reader.scene for reader in readers]
        self.tally: Tally = operation.tally(params)
        self.counts = Counts()
        self._readers, self._threads = readers, threads
        self._dtype = operation.pixel_format(params).dtype
        # Arithmetic is many short calls of numpy, each of which gives the interpreter's lock away and has to get it
        # back. Two threads in the midst of that hold each other up, while decoding and encoding leave the lock alone.
        self._arithmetic = threading.Semaphore(max(1, threads // 2))

    def write_windows(self, cog: CogWriter) -> Generator[int, None, None]:
        """Read, compute and write every window; gives the number of those that are done.

        Close the iterator where it is not used up: only then do its threads end.
        """
        with ExitStack() as crews:
            computing = crews.enter_context(Crew(self._threads, enter_gdal_environment))
            ledgers = computing.each(lambda window: self._compute(window, cog), self._fetched(cog, crews))
            # Taken together in the order of the windows, so that sums are the same to the last digit every time.
            for done, ledger in enumerate(ledgers, start=1):
                self.tally.merge(ledger.tally)
                self.counts.merge(ledger.counts)
                yield done

    def _fetched(self, cog: CogWriter, crews: ExitStack) -> Iterator[Window]:
        """The windows, each once all that it needs of remote files is here.

        Hosts answer slowly, but many requests at once: threads of their own ask for the rows of windows to come.
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
        ledger = _Ledger(tally=self.operation.tally(self.params))
        with self._arithmetic:
            encoded = self._encoded(window, scenes, ledger)
        cog.write(window, encoded)
        return ledger

    def _encoded(self, window: Window, scenes: Sequence[SceneWindow], ledger: _Ledger) -> PixelArray:
        """The window as it stands in the result, strip by strip; what is seen on the way goes into the ledger."""
        rows, columns = int(window.height), int(window.width)
        encoded: PixelArray = np.empty((rows, columns), dtype=self._dtype)
        inside = self.overlay.inside(window)
        areas = self.overlay.grid.pixel_areas(window)
        for first in range(0, rows, _STRIP_ROWS):
            strip = slice(first, first + _STRIP_ROWS)
            seen = self._seen(ledger.counts, inside[strip], scenes, strip)
            if not seen.any():
                values = np.full(seen.shape, self.operation.nothing)
            else:
                # What is masked is as good as nodata to an operation.
                pixels = [Pixels(reflectance=scene.reflectance(strip), valid=seen) for scene in scenes]
                values = self.operation.compute(self.params, pixels)
                ledger.tally.add(values, areas[strip])
            encoded[strip] = self.operation.encode(self.params, values)
        return encoded

    def _seen(self, counts: Counts, inside: BoolArray, scenes: Sequence[SceneWindow], strip: slice) -> BoolArray:
        """Where all scenes have data and no mask hides the ground."""
        valid = reduce(lambda valid, scene: scene.valid(strip, valid), scenes, inside)
        masks = [scene.clear[strip] for scene in scenes if scene.clear is not None]
        seen = reduce(np.logical_and, masks, valid)
        counts.add(inside, valid, seen)
        return seen


def _spanning(row: Sequence[Window]) -> Window:
    """All of a row of windows as one."""
    width = row[-1].col_off + row[-1].width - row[0].col_off
    return Window(row[0].col_off, row[0].row_off, width, row[0].height)
