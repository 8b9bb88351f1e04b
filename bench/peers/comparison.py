"""Whether an output is a COG by rio-cogeo's strict rules, and how its pixels differ from those of another file.

`python -m bench.peers.comparison OURS OUTPUT` prints JSON. Pixels are compared block by block, so memory stays small.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rio_cogeo.cogeo import cog_validate

_ROWS = 1024
_ROUNDING = 1e-6  # what arithmetic in another order may change


@dataclass
class Comparison:
    """`differing` counts the pixels that are valid in both files but not equal, `validity` those valid in one only."""

    strict_cog: bool
    same_grid: bool = False
    same_nodata: bool = False
    pixels: int = 0
    validity: int = 0
    differing: int = 0
    largest: float = 0.0

    def add(self, ours: npt.NDArray[np.generic], theirs: npt.NDArray[np.generic], nodata: float | None) -> None:
        is_ours, is_theirs = _valid(ours, nodata), _valid(theirs, nodata)
        both = is_ours & is_theirs
        difference = np.abs(ours[both].astype(np.float64) - theirs[both].astype(np.float64))
        self.pixels += ours.size
        self.validity += int(np.count_nonzero(is_ours ^ is_theirs))
        self.differing += int(np.count_nonzero(difference > _ROUNDING))
        self.largest = max(self.largest, float(difference.max(initial=0)))


def compare(ours_path: Path, theirs_path: Path) -> Comparison:
    result = Comparison(strict_cog=bool(cog_validate(theirs_path, strict=True)[0]))
    with rasterio.open(ours_path) as ours, rasterio.open(theirs_path) as theirs:
        result.same_grid = (ours.shape, ours.transform, ours.crs) == (theirs.shape, theirs.transform, theirs.crs)
        result.same_nodata = theirs.nodata is not None and str(ours.nodata) == str(theirs.nodata)
        for first in range(0, ours.height if result.same_grid else 0, _ROWS):
            window = ((first, min(ours.height, first + _ROWS)), (0, ours.width))
            result.add(ours.read(1, window=window), theirs.read(1, window=window), ours.nodata)
    return result


def _valid(pixels: npt.NDArray[np.generic], nodata: float | None) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = ~np.isnan(pixels) if pixels.dtype.kind == "f" else pixels != nodata
    return valid


if __name__ == "__main__":
    print(json.dumps(asdict(compare(Path(sys.argv[1]), Path(sys.argv[2])))))
