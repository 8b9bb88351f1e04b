"""NDVI of two bands of digital numbers by numexpr, with all cores."""

import os
from typing import Any

import numexpr
import numpy as np
import numpy.typing as npt

from .settings import ZERO_REFLECTANCE

# DN 0 is no data. Reflectances below 0 count as 0, and where both are 0 there is no index.
_RED, _NIR = (f"where({name} > {ZERO_REFLECTANCE}, {name} - {ZERO_REFLECTANCE}, 0)" for name in ("red", "nir"))
_IS_VALID = f"(red != 0) & (nir != 0) & ({_NIR} + {_RED} != 0)"
_FLOATS = f"where({_IS_VALID}, ({_NIR} - {_RED}) / ({_NIR} + {_RED}), nan)"
# The values -1..1 are the steps 1..255; 0 is no data. Half is added, as the cast to bytes cuts.
_STEPS = f"where({_IS_VALID}, ({_NIR} - {_RED}) / ({_NIR} + {_RED}) * 127 + 128.5, 0)"


def ndvi(red: npt.NDArray[Any], nir: npt.NDArray[Any], dtype: str = "float32") -> npt.NDArray[Any]:
    """NDVI as float32 with NaN for no data or, with the dtype uint8, as steps for a palette."""
    numexpr.set_num_threads(os.cpu_count())
    found = np.empty(red.shape, dtype)
    constants = {"red": red, "nir": nir, "nan": np.float32(np.nan)}
    expression = _FLOATS if dtype == "float32" else _STEPS
    numexpr.evaluate(expression, constants, out=found, casting="unsafe", truediv=True)
    return found
