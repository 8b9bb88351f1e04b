"""Grids: where pixels lie on the ground, the grid that all scenes of a job share, and resampling to it.

Pure functions of coordinates and arrays: no file is opened here.
"""

from .grid import Grid
from .overlay import Overlay, clip, lay_over

__all__ = ["Grid", "Overlay", "clip", "lay_over"]
