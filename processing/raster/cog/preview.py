"""A finished COG as a small picture, for people without a GIS."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetReader

from .. import colormaps

_DEFAULT_COLORMAP: colormaps.Colormap = "rdylgn"


def write_preview(cog: Path, png: Path, longest_side: int = 1024) -> None:
    """Write `png`: the COG in its own palette, or values -1..1 from red to green. Nodata is transparent."""
    with rasterio.open(cog, driver="GTiff") as dataset:
        picture = _colored(dataset, longest_side)
    count, height, width = picture.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture is not georeferenced
        with rasterio.open(png, "w", driver="PNG", width=width, height=height, count=count, dtype="uint8") as target:
            target.write(picture)


def _colored(dataset: DatasetReader, longest_side: int) -> npt.NDArray[np.uint8]:
    """(4, rows, columns) RGBA, read from the overview that fits."""
    shrink = max(1.0, max(dataset.shape) / longest_side)
    values = dataset.read(1, out_shape=tuple(max(1, round(side / shrink)) for side in dataset.shape))
    if dataset.dtypes[0] == "uint8":
        palette = np.array([dataset.colormap(1)[index] for index in range(256)], dtype=np.uint8)
        palette[int(dataset.nodata)] = 0
    else:
        colors = np.insert(colormaps.colors(_DEFAULT_COLORMAP, 255), 3, 255, axis=1)
        palette = np.vstack([np.zeros((1, 4), np.uint8), colors])
        values = np.nan_to_num(np.rint((np.clip(values, -1, 1) + 1) * 127) + 1, nan=0).astype(np.uint8)
    picture: npt.NDArray[np.uint8] = palette[values].transpose(2, 0, 1)
    return picture
