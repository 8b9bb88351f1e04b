"""Scenes that are found and opened as a job does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from processing.raster.reading import OpenRasters
from processing.raster.scenes import find_scene
from processing.raster.types import Config, Scene, SceneId
from tests.raster.support.pairs import BEFORE


def found(config: Config, name: str = BEFORE) -> Scene:
    return find_scene(SceneId(provider="sentinel-2", original_id=name), config.catalogues, config.network)


@contextmanager
def open_rasters(config: Config) -> Iterator[OpenRasters]:
    """Local copies lie in a folder that is removed at the end."""
    with TemporaryDirectory() as folder, OpenRasters(config.network, config.limits, Path(folder)) as rasters:
        yield rasters
