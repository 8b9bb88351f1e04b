"""The only room that opens rasters of scenes: each is described once and opened by every thread that reads it.

A window of a scene comes from its files by the way that fits how they lie on the grid: aligned, resampled or warped.
"""

from .open_rasters import OpenRasters
from .open_scene import OpenScene, open_scene
from .scene_reader import SceneReader

__all__ = ["OpenRasters", "OpenScene", "SceneReader", "open_scene"]
