from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rasterio
from rasterio.io import DatasetReader

from processing.raster.catalogues import stac
from processing.raster.files import ranges
from processing.raster.reading.raster_file import gdal_environment
from processing.raster.types import Config


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """No test is answered with what a catalogue said in another, whose port it may have got."""
    yield
    stac._answers.clear()
    ranges._tokens.clear()
    ranges._final_urls.clear()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The scenes of a test lie where its files do."""
    return Config(sandbox_dir=tmp_path)


@pytest.fixture
def gdal(config: Config) -> Iterator[None]:
    """GDAL's settings, as in a job."""
    with gdal_environment():
        yield


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> list[DatasetReader]:
    """All that is opened to be read, in this order."""
    opened: list[DatasetReader] = []
    open_one = rasterio.open

    def open_noted(path: Any, mode: str = "r", **options: Any) -> Any:
        dataset = open_one(path, mode, **options)
        if mode == "r":
            opened.append(dataset)
        return dataset

    monkeypatch.setattr(rasterio, "open", open_noted)
    return opened
