"""The page that shows a result on a map, behind a signed link as its file is. It reads no raster."""

from .views import Viewer

__all__ = ["Viewer"]
