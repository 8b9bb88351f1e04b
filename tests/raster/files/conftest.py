from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.raster.files.tokens import Clock, TokenStore


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which tokens end."""
    made = Clock()
    monkeypatch.setattr("processing.raster.files.tokens.time.time", made)
    return made


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[TokenStore]:
    with TokenStore(tmp_path / "store", clock) as server:
        yield server
