"""The windows of one job: read, computed and written by several threads."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rasterio.windows import Window

from .cog import CogWriter
from .crew import Crew
from .inputs import OpenScene, SceneReader, SceneWindow
from .operations import Operation, Tally
from .overlay import Overlay
from .params import Params
from .reading import gdal_environment
from .types import BoolArray, Config, PixelArray, Pixels

# Rows that are worked on at once: their arrays stay in the processor's cache, and their memory is used again and again.
_STRIP_ROWS = 32
# Hosts answer slowly but many at once. Threads that wait for them need no processor.
_REMOTE_READERS = 16
_WINDOWS_AHEAD = 2


@dataclass
class Counts:
    """Pixels asked for; of these, with data in all bands of all scenes; of these, hidden by a mask."""

    asked: int = 0
    with_data: int = 0
    masked: int = 0

    def add(self, inside: BoolArray, valid: BoolArray, clear: BoolArray) -> None:
        self.asked += int(np.count_nonzero(inside))
        self.with_data += int(np.count_nonzero(valid))
        self.masked += int(np.count_nonzero(valid & ~clear))

    def merge(self, other: "Counts") -> None:
        self.asked += other.asked
        self.with_data += other.with_data
        self.masked += other.masked

    @property
    def masked_percent(self) -> float:
        return 100 * self.masked / self.with_data if self.with_data else 0.0


@dataclass(kw_only=True)
class _Ledger:
    """What one thread has counted."""

    tally: Tally
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, kw_only=True)
class _ReadWindow:
    window: Window
    scenes: Sequence[SceneWindow]


class WindowWork:
    """All windows of a job. `tally` and `counts` are whole once `write_windows` has ended."""

    def __init__(
        self, operation: Operation[Any], params: Params, scenes: Sequence[OpenScene], overlay: Overlay, config: Config
    ) -> None:
        self.operation, self.params, self.scenes, self.overlay = operation, params, scenes, overlay
        self.tally: Tally = operation.tally(params)
        self.counts = Counts()
        self._config = config
        self._dtype = operation.pixel_format(params).dtype

    def write_windows(self, cog: CogWriter) -> Generator[int, None, None]:
        """Read, compute and write every window; gives the number of those that are done.

        Close the iterator where it is not used up: only then do its threads end.
        """
        # In this order: files are closed last, when no thread can be reading from them any more.
        with (
            ExitStack() as files,
            Crew(self._config.threads, self._new_ledger) as computing,
            Crew(self._readers(), lambda: self._open_readers(files)) as reading,
        ):
            read = self._windows_of(cog, reading)
            written = computing.each(lambda ledger, window: self._compute(ledger, window, cog), read)
            yield from (done for done, _ in enumerate(written, start=1))
            for ledger in computing.tools:
                self.tally.merge(ledger.tally)
                self.counts.merge(ledger.counts)

    def _new_ledger(self) -> _Ledger:
        return _Ledger(tally=self.operation.tally(self.params))

    def _readers(self) -> int:
        is_local = all(opened.is_local for opened in self.scenes)
        return self._config.threads if is_local else max(_REMOTE_READERS, self._config.threads)

    def _open_readers(self, files: ExitStack) -> list[SceneReader]:
        return [
            SceneReader(opened, self.overlay, index, self._config, files) for index, opened in enumerate(self.scenes)
        ]

    def _windows_of(self, cog: CogWriter, reading: "Crew[list[SceneReader]]") -> Iterator[_ReadWindow]:
        """The windows in order, each put together of its rasters, which several threads read."""
        parts = [(index, name) for index, opened in enumerate(self.scenes) for name in opened.parts]
        # All at once and each by one thread: what the first has fetched of a file's head, the others find at hand.
        for _ in reading.each(self._open_part, parts, ahead=len(parts)):
            pass
        wanted = ((window, index, name) for window in cog.windows() for index, name in parts)
        numbers = reading.each(self._read_part, wanted, ahead=reading.size + _WINDOWS_AHEAD * len(parts))
        for window in cog.windows():
            scenes = [SceneWindow.of(opened, [next(numbers) for _ in opened.parts]) for opened in self.scenes]
            yield _ReadWindow(window=window, scenes=scenes)

    def _open_part(self, readers: list[SceneReader], part: tuple[int, str]) -> None:
        index, name = part
        with gdal_environment(self._config):
            readers[index].open_part(name)

    def _read_part(self, readers: list[SceneReader], wanted: tuple[Window, int, str]) -> PixelArray:
        window, index, name = wanted
        with gdal_environment(self._config):
            return readers[index].read_part(name, window)

    def _compute(self, ledger: _Ledger, read: _ReadWindow, cog: CogWriter) -> None:
        rows, columns = int(read.window.height), int(read.window.width)
        encoded = np.empty((rows, columns), dtype=self._dtype)
        inside = self.overlay.inside(read.window)
        areas = self.overlay.grid.pixel_areas(read.window)
        for first in range(0, rows, _STRIP_ROWS):
            strip = slice(first, first + _STRIP_ROWS)
            values = self._values(ledger, inside[strip], [scene.pixels(strip) for scene in read.scenes])
            ledger.tally.add(values, areas[strip])
            encoded[strip] = self.operation.encode(self.params, values)
        cog.write(read.window, encoded)

    def _values(self, ledger: _Ledger, inside: BoolArray, scenes: Sequence[Pixels]) -> PixelArray:
        valid = np.logical_and.reduce([inside, *(scene.valid for scene in scenes)])
        clear = np.logical_and.reduce([scene.clear for scene in scenes])
        ledger.counts.add(inside, valid, clear)
        seen = valid & clear
        if not seen.any():
            return np.full(seen.shape, self.operation.nothing)
        # What is masked is as good as nodata to an operation.
        return self.operation.compute(
            self.params, [Pixels(reflectance=scene.reflectance, valid=seen, clear=clear) for scene in scenes]
        )
