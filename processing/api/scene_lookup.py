"""Looking a scene up while its caller waits, and with it a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from astra.exceptions import ApiError, Problem

from ..config import raster_config
from ..raster.catalogues.patience import FOR_A_CALLER
from ..raster.errors import RasterError
from ..raster.scenes import check_scene_id, find_scene
from ..raster.types import Scene, SceneId
from .places import LOOK_UPS


def look_up(scene_id: str, *, use_sandbox: bool) -> Scene:
    """The scene that the id names. Raises ApiError: as a job would fail, or if too many are looked up already."""
    config = raster_config(use_sandbox=use_sandbox)
    try:
        asked = SceneId.parse(scene_id)
        check_scene_id(asked, in_sandbox=use_sandbox)
        with place_to_wait(needed=not use_sandbox):
            return find_scene(asked, config.catalogues, config.network, patience=FOR_A_CALLER)
    except RasterError as error:
        raise ApiError(Problem[error.code], error.message, error.details) from error


@contextmanager
def place_to_wait(*, needed: bool) -> Iterator[None]:
    """Hold one of the few places of those who wait for catalogues. Raises ApiError if none is free."""
    if not needed:
        yield
        return
    with LOOK_UPS.one() as is_free:
        if not is_free:
            raise ApiError(Problem.TOO_MANY_LOOK_UPS)
        yield
