"""A file against its item: what it holds decides, and what the item says otherwise becomes a warning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from affine import Affine

from ..grids import Grid
from ..radiometry import sensor_of
from ..radiometry.assets import declared
from ..radiometry.reflectance import can_hold, valid_pixels
from ..types import Band, Mask, MaskKind, PixelArray, Scene
from .raster_file import RasterFile

_HIGHEST_REFLECTANCE = 2.0  # of sunlit snow and cloud, with some room
_HIGHEST_SCL = 11
# Every pixel of QA_PIXEL but fill has a confidence in bits 8 to 15.
_LOWEST_QA = 1 << 8
_MOST_PERCENT_ODD = 1.0  # some real masks have a few odd pixels
_FILE = "The file was followed: check that it is the scene that you mean."
_CLOUDS = "It was not used: clouds are in the result."


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A band as its file has it, and what its item says otherwise, as sentences."""

    band: Band
    doubts: tuple[str, ...] = ()


def check_band(scene: Scene, band: Band, file: RasterFile) -> Checked:
    """Correct nodata, scale and offset of the band by its file."""
    whole, about_nodata = _with_nodata(scene, band, file)
    right, about_scale = _with_scale(whole, file)
    return Checked(band=right, doubts=(*about_nodata, *about_scale))


def odd_mask(mask: Mask, file: RasterFile) -> str | None:
    """Why the file cannot be a mask of its kind, as a sentence; None if it can."""
    if file.dtype.kind not in "ui":
        return (
            f"The file of {mask.asset} of {mask.scene_id} holds {file.dtype} values, so it is no cloud mask. {_CLOUDS}"
        )
    percent = _odd_percent(file.sample(), mask.kind)
    if percent <= _MOST_PERCENT_ODD:
        return None
    return (
        f"{percent:.0f} % of the values of {mask.asset} of {mask.scene_id} are none that a mask of kind {mask.kind} "
        f"has, so it is no cloud mask. {_CLOUDS}"
    )


def about_place(scene: Scene, band: Band, file: RasterFile) -> Iterator[str]:
    """Sentences about a CRS or a size that the item declares and the file does not have.

    A thinned copy, of coarser pixels of the same ground, has the right size.
    """
    asset = scene.assets[band.asset]
    code, own = _declared_crs(scene, asset), file.grid.crs.to_epsg()
    if code is not None and own is not None and code != own:
        yield f"The item of {scene.id} lies in EPSG:{code}, its file of {band.asset} in EPSG:{own}. {_FILE}"
    shape = _numbers(asset.get("proj:shape"), 2)
    if shape is None or shape == file.grid.shape or _is_thinned(shape, _declared_transform(scene, asset), file.grid):
        return
    said, found = (" x ".join(str(side) for side in sides) for sides in (shape, file.grid.shape))
    yield (
        f"The item of {scene.id} says that {band.asset} has {said} pixels (rows x columns), its file has {found}. "
        f"{_FILE}"
    )


def _with_nodata(scene: Scene, band: Band, file: RasterFile) -> tuple[Band, list[str]]:
    """The band with every nodata that the item or the file declares and a DN can have."""
    said = declared(scene.assets[band.asset], "nodata")
    values = [value for value in (file.nodata, band.nodata) if value is not None and can_hold(file.dtype, value)]
    values = list(dict.fromkeys(value for value in values if np.isfinite(value))) or [sensor_of(scene).nodata]
    masked = " and ".join(f"{value:g}" for value in values)
    whole = replace(band, nodata=values[0], other_nodata=values[1] if len(values) > 1 else None)
    if said is None or values == [said]:
        return whole, []
    if not can_hold(file.dtype, said):
        fault = f"which a file of {file.dtype} cannot hold"
    else:
        fault = f"its file {file.nodata:g}"
    return whole, [f"The item of {scene.id} declares nodata {said:g} for {band.asset}, {fault}. Masked: {masked}."]


def _with_scale(band: Band, file: RasterFile) -> tuple[Band, list[str]]:
    """A file of floats that are reflectance already is not scaled again."""
    if file.dtype.kind != "f" or (band.scale, band.offset) == (1.0, 0.0):
        return band, []
    values = file.sample()
    values = values[valid_pixels(values, band.nodata)]
    if not _is_reflectance(values):
        return band, []
    doubt = (
        f"The file of {band.asset} of {band.scene_id} holds reflectance already (99 % of it below "
        f"{np.quantile(values, 0.99):.2f}), so scale {band.scale:g} and offset {band.offset:g} were not applied."
    )
    return replace(band, scale=1.0, offset=0.0, offset_reason="the file holds reflectance"), [doubt]


def _is_reflectance(values: PixelArray) -> bool:
    if not values.size:
        return False
    lowest, highest = np.quantile(values, (0.01, 0.99))
    return bool(-0.5 < lowest <= highest < _HIGHEST_REFLECTANCE)


def _odd_percent(dn: PixelArray, kind: MaskKind) -> float:
    """Share of the values that no mask of the kind has. 0 and 1 are fill."""
    odd = (dn > _HIGHEST_SCL) | (dn < 0) if kind == "scl" else (dn > 1) & (dn < _LOWEST_QA)
    return 100 * float(np.count_nonzero(odd)) / dn.size if dn.size else 0.0


def _declared_crs(scene: Scene, asset: Mapping[str, Any]) -> int | None:
    """The EPSG code by the asset or its item; None if neither says one."""
    for holder in (asset, scene.properties):
        code = str(holder.get("proj:code") or holder.get("proj:epsg") or "").upper().removeprefix("EPSG:")
        if code.isdigit():
            return int(code)
    return None


def _declared_transform(scene: Scene, asset: Mapping[str, Any]) -> Affine | None:
    """By the asset or its item; None if neither says one that is north up."""
    for holder in (asset, scene.properties):
        parts = _numbers(holder.get("proj:transform"), 6)
        if parts is not None:
            return Affine(*parts)
    return None


def _is_thinned(shape: tuple[float, ...], transform: Affine | None, grid: Grid) -> bool:
    """Whether pixels that are coarser by a whole factor cover the declared ground, to within one of them."""
    rows, columns = shape
    factor = round(columns / grid.width)
    if transform is None or factor < 2:
        return False
    to_file = ~grid.transform @ transform
    begin, end = to_file @ (0, 0), to_file @ (columns, rows)
    off = [
        *begin,
        end[0] - grid.width,
        end[1] - grid.height,
        columns / factor - grid.width,
        rows / factor - grid.height,
    ]
    return all(abs(pixels) <= 1 for pixels in off)


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """The first of a list of finite numbers; None if the value is no such list, or is shorter."""
    if not isinstance(value, list) or len(value) < count:
        return None
    are_numbers = all(isinstance(one, int | float) and isfinite(one) for one in value)
    return tuple(value[:count]) if are_numbers else None
