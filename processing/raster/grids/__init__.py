"""Grids of pixels on the ground: how one lies on another, the grid that all scenes of a job share, and resampling.

Pure functions of coordinates and arrays: no file is opened here.
"""

from .grid import Grid
from .overlay import Overlay, clip, lay_over

__all__ = ["Grid", "Overlay", "clip", "lay_over"]
