"""Change detection by rasterio window by window, ASTRA's rule in numexpr, and GDAL's own COG driver.

`python -m bench.peers.rasterio_change THRESHOLD RED NIR SWIR16 SCL RED NIR SWIR16 SCL OUTPUT`, before and after.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numexpr
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from .cog_driver import CACHE, move_to_cog
from .settings import ZERO_REFLECTANCE
from .timing import timed

_WINDOW = 1024
_EPSILON = 1e-6
_NODATA = 255
# No data, saturated, cloud shadow, cloud medium and high, cirrus, snow.
_HIDDEN = (0, 1, 3, 8, 9, 10, 11)
_BANDS = ("red", "nir", "swir16")
_REFLECTANCE = f"where(dn > {ZERO_REFLECTANCE}, dn - {ZERO_REFLECTANCE}, 0) / ten_thousand"
_DIFFERENCE = "where(a + b != 0, (a - b) / (a + b), 0 * a)"
_SEEN = "(red != 0) & (nir != 0) & (swir16 == swir16) & ~(" + " | ".join(f"(scl == {code})" for code in _HIDDEN) + ")"
_WATER = "((nir < 0.05) | ((ndvi < 0.01) & (nir < 0.11)))"
_BUILT_UP = "((ndvi < 0.30) & (ndbi > -0.15) & (nir >= 0.11) & (red > 0.55 * swir16))"
_AT_LEAST = f"((d >= threshold - {_EPSILON}) & (d > {_EPSILON}))"
# Of the classes whose condition holds, the first is taken.
_CLASSES = (
    f"where(~seen, {_NODATA}, where(~changed, 0, "
    "where(water_before | water_after, where(water_before & water_after, 0, 4), "
    "where(built_after & ~built_before, 3, where(gain & (ndvi_after >= 0.2), 1, "
    "where(loss & (ndvi_before >= 0.2), 2, 0))))))"
)

Arrays = Mapping[str, npt.NDArray[Any]]
Window = tuple[tuple[int, int], tuple[int, int]]


def main(threshold: float, before: Sequence[Path], after: Sequence[Path], out: Path) -> None:
    numexpr.set_num_threads(os.cpu_count())
    raw = out.with_suffix(".raw.tif")
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", GDAL_CACHEMAX=CACHE // 2):
        _compute(threshold, [before, after], raw)
        move_to_cog(raw, out, resampling="MODE", predictor="NO")


def _compute(threshold: float, files: Sequence[Sequence[Path]], raw: Path) -> None:
    with ExitStack() as stack:
        dates = [_open_date(each, stack) for each in files]
        red = dates[0]["red"]
        size = {"width": red.width, "height": red.height, "count": 1, "crs": red.crs, "transform": red.transform}
        tiles = {"tiled": True, "blockxsize": _WINDOW, "blockysize": _WINDOW, "compress": None}
        file = stack.enter_context(
            rasterio.open(raw, "w", driver="GTiff", dtype="uint8", nodata=_NODATA, **size, **tiles)
        )
        for row in range(0, red.height, _WINDOW):
            window = ((row, min(red.height, row + _WINDOW)), (0, red.width))
            before, after = (_read(date, window) for date in dates)
            file.write(_classify(before, after, threshold), 1, window=window)


def _open_date(files: Sequence[Path], stack: ExitStack) -> Mapping[str, Any]:
    """Bands and scene classes of one date, all on the grid of red."""
    red, nir, swir16, scl = (stack.enter_context(rasterio.open(path, NUM_THREADS="ALL_CPUS")) for path in files)
    grid = {"crs": red.crs, "transform": red.transform, "width": red.width, "height": red.height}
    bilinear = {"resampling": Resampling.bilinear, "src_nodata": 0, "nodata": np.nan, "dtype": "float32"}
    threads = {"NUM_THREADS": "ALL_CPUS"}
    warped = stack.enter_context(WarpedVRT(swir16, **grid, **bilinear, **threads))
    classes = stack.enter_context(WarpedVRT(scl, **grid, resampling=Resampling.nearest, **threads))
    return {"red": red, "nir": nir, "swir16": warped, "scl": classes}


def _read(date: Mapping[str, Any], window: Window) -> Arrays:
    """Reflectances, indices, and what is known of the ground."""
    dn = {name: file.read(1, window=window) for name, file in date.items()}
    found = {name: _evaluate(_REFLECTANCE, dn=dn[name], ten_thousand=np.float32(10_000)) for name in _BANDS}
    found["ndvi"] = _evaluate(_DIFFERENCE, a=found["nir"], b=found["red"])
    found["ndbi"] = _evaluate(_DIFFERENCE, a=found["swir16"], b=found["nir"])
    found["seen"] = _evaluate(_SEEN, **dn)
    found["water"] = _evaluate(_WATER, **found)
    found["built"] = _evaluate(_BUILT_UP, **found)
    return found


def _classify(before: Arrays, after: Arrays, threshold: float) -> npt.NDArray[np.uint8]:
    largest = _evaluate("abs(a - b)", a=after["red"], b=before["red"])
    for name in ("nir", "swir16", "ndvi", "ndbi"):
        largest = _evaluate("where(abs(a - b) > most, abs(a - b), most)", a=after[name], b=before[name], most=largest)
    grown = _evaluate("a - b", a=after["ndvi"], b=before["ndvi"])
    known = {f"{name}_{date}": of[name] for date, of in (("before", before), ("after", after)) for name in of}
    classes = _evaluate(
        _CLASSES,
        seen=_evaluate("a & b", a=before["seen"], b=after["seen"]),
        changed=_evaluate(_AT_LEAST, d=largest, threshold=threshold),
        gain=_evaluate(_AT_LEAST, d=grown, threshold=threshold),
        loss=_evaluate(_AT_LEAST, d=-grown, threshold=threshold),
        **{name: known[name] for name in _KNOWN},
    )
    return classes.astype(np.uint8)


_KNOWN = ("water_before", "water_after", "built_before", "built_after", "ndvi_before", "ndvi_after")


def _evaluate(expression: str, **values: Any) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = numexpr.evaluate(expression, values, {}, truediv=True)
    return found


if __name__ == "__main__":
    files = [Path(text) for text in sys.argv[2:-1]]
    timed(main, float(sys.argv[1]), files[:4], files[4:], Path(sys.argv[-1]))
