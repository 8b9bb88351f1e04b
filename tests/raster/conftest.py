from collections.abc import Iterator
from typing import Any

import pytest
import rasterio
from rasterio.io import DatasetReader

from processing.http import retry
from processing.raster.gdal import gdal_environment
from processing.raster.types import Config
from tests.raster.support.configs import config_for
from tests.raster.support.memories import forget_hosts


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_hosts(monkeypatch)


@pytest.fixture
def config() -> Config:
    """No host but public ones may be reached, and no catalogue is known but the real ones."""
    return config_for()


@pytest.fixture
def gdal(config: Config) -> Iterator[None]:
    """GDAL's settings, as in a job."""
    with gdal_environment():
        yield


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before further tries, none of which is made."""
    made: list[float] = []
    monkeypatch.setattr("processing.http.retry.time.sleep", made.append)
    return made


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that fails is asked twice, without a pause."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> list[DatasetReader]:
    """All rasters that are opened to be read, in this order."""
    opened: list[DatasetReader] = []
    open_one = rasterio.open

    def open_noted(path: Any, mode: str = "r", **options: Any) -> Any:
        dataset = open_one(path, mode, **options)
        if mode == "r":
            opened.append(dataset)
        return dataset

    monkeypatch.setattr(rasterio, "open", open_noted)
    return opened
