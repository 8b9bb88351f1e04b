"""Geometry: grids of pixels on the ground, how one lies on another, one grid for all scenes, and resampling to it.

Pure functions of coordinates and arrays: no file is opened here.
"""

from .grid import Grid
from .overlay import Overlay, clip, lay_over

__all__ = ["Grid", "Overlay", "clip", "lay_over"]
