"""All pictures of a job. One with which anything goes wrong is left out, with a line in the log: no job fails by it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..gdal import gdal_environment
from ..grids import Grid, Overlay
from ..operations import Operation
from ..params import Params
from ..reading import OpenRasters, OpenScene
from ..threads import side_by_side
from ..types import PREVIEW, THUMBNAIL, Config
from .mercator import MOST_PIXELS, halvings
from .preview import draw_preview
from .scene_picture import draw_scene

# Of remote files that may be copied for pictures: some megabytes are usual.
_MOST_BYTES = 100e6
_MOST_OF_THUMBNAIL = 96  # pixels of its longer side

logger = logging.getLogger(__name__)


def pictures_of_result(cog: Path, operation: Operation[Any], params: Params) -> Mapping[str, Path]:
    """The pictures of the result in `cog`, beside it, by their names; nothing of what cannot be made."""

    def of(most: int) -> Callable[[Path], None]:
        return lambda picture: draw_preview(cog, operation, params, picture, most)

    return _drawn({PREVIEW: of(MOST_PIXELS), THUMBNAIL: of(_MOST_OF_THUMBNAIL)}, cog.parent)


def pictures_of_scenes(
    operation: Operation[Any], scenes: Sequence[OpenScene], overlay: Overlay, config: Config, folder: Path
) -> Mapping[str, Path]:
    """Pictures in `folder` of the scenes under the result, by their roles, if the operation compares scenes.

    What they need of remote files is fetched apart from the job's own, whose bytes are counted. A host that fails or
    hangs is asked once: the job waits for its pictures.
    """
    network = replace(config.network, asks_again=False)
    limits = replace(config.limits, max_bytes=min(config.limits.max_bytes, _MOST_BYTES))
    if not operation.scene_pictures:
        return {}
    with OpenRasters(network, limits, folder) as rasters:

        def of(index: int) -> Callable[[Path], None]:
            grid = overlay.grid.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.grid
            return lambda picture: draw_scene(scenes[index], grid, rasters, picture)

        return _drawn({name: of(index) for index, name in enumerate(operation.scene_pictures)}, folder)


def need_overviews_only(grid: Grid) -> bool:
    """Whether the pictures of a result on this grid are drawn from its overviews, and not from its full resolution."""
    return halvings(grid) > 0


@contextmanager
def no_pictures_of_failures(operation: Operation[Any], folder: Path) -> Iterator[None]:
    """A job that fails leaves none, however many were drawn by then."""
    try:
        yield
    except BaseException:
        for name in operation.pictures:
            (folder / f"{name}.png").unlink(missing_ok=True)
        raise


def _drawn(draw: Mapping[str, Callable[[Path], None]], folder: Path) -> Mapping[str, Path]:
    """The pictures by name. Each is drawn by a thread of its own, which the job's time limit does not interrupt."""
    pictures = side_by_side(lambda name: _picture(draw[name], folder / f"{name}.png"), draw)
    return {name: picture for name, picture in zip(draw, pictures, strict=True) if picture is not None}


def _picture(draw: Callable[[Path], None], picture: Path) -> Path | None:
    try:
        with gdal_environment():
            draw(picture)
    except Exception as error:
        logger.warning("the picture %s is left out: %s", picture.name, error, exc_info=error)
        return None
    return picture
