from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.http import retry
from tests.raster.files.local_copy.slow_server import SlowServer


@pytest.fixture
def slow_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowServer]:
    """It is asked once, even if it fails."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", ())
    with SlowServer(tmp_path / "slow") as server:
        yield server
