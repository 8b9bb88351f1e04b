"""The threads of a job: who may do what beside whom."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from processing.raster import windows
from processing.raster.cog.pyramid import WINDOW
from processing.raster.windows import WindowWork
from tests.raster.support.pairs import Layer, Shot, ndvi, square, write_shots

PATIENCE = 15  # seconds after which a thread that should have come is given up
WINDOWS_A_SIDE = 2


class Turns(threading.Semaphore):
    """Knows when as many threads as there are have come, whether they were let in or not."""

    def __init__(self, value: int, threads: int) -> None:
        super().__init__(value)
        self._awaited, self._counting, self.all_came = threads, threading.Lock(), threading.Event()

    def __enter__(self) -> bool:
        with self._counting:
            self._awaited -= 1
            if self._awaited == 0:
                self.all_came.set()
        return self.acquire()


@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (2, 1), (4, 2)])
def test_half_of_the_threads_do_arithmetic_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, at_once: int
) -> None:
    """The others decode and encode."""
    inside, most, lock, encoded = 0, 0, threading.Lock(), WindowWork._encoded

    def watched(work: Any, *args: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        assert work._arithmetic.all_came.wait(PATIENCE)
        result = encoded(work, *args)
        with lock:
            inside -= 1
        return result

    monkeypatch.setattr(windows, "threading", SimpleNamespace(Semaphore=lambda value: Turns(value, threads)))
    monkeypatch.setattr(WindowWork, "_encoded", watched)
    grid = square(WINDOWS_A_SIDE * WINDOW, WINDOWS_A_SIDE * WINDOW)
    numbers = np.full(grid.shape, 3000, np.uint16)
    config = write_shots(
        tmp_path / "scenes", Shot(layers={b: Layer(numbers=numbers, grid=grid) for b in ("red", "nir")})
    )
    ndvi(replace(config, threads=threads), tmp_path / "out")
    assert most == at_once
