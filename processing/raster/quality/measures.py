"""What a sample of pixels says about how far a result can be trusted, in numbers."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..operations import Operation
from ..params import Params
from ..radiometry.masks import NEAR
from ..radiometry.reflectance import SATURATED, to_reflectance, valid_pixels
from ..reading import OpenScene
from ..shares import percent
from ..types import Band, BoolArray, PixelArray, Pixels
from .registration import median_length, shift_between
from .sampler import Sampler, SceneSample

_PERMILLE = 0.001
_MOST_TILES = 3


def of_scene(opened: OpenScene, sample: SceneSample) -> dict[str, Any]:
    """Shares are in percent of the sampled pixels that have data in all bands; None if there are none."""
    with_data = reduce(np.logical_and, (_has_data(dn, opened.bands[name]) for name, dn in sample.dn.items()))
    clipped = reduce(np.logical_or, (_raw(dn, opened.bands[name]) < 0 for name, dn in sample.dn.items()))
    saturated = reduce(np.logical_or, (_is_saturated(dn) for dn in sample.dn.values()))
    return {
        "scene_id": str(opened.scene.id),
        "clear_percent": None if sample.clear is None else percent(sample.clear, with_data),
        "clipped_percent": percent(clipped, with_data),
        "saturated_percent": percent(saturated, with_data),
        "darkest_red": _darkest(opened, sample, with_data & ~saturated),
    }


def of_operation(
    operation: Operation[Any], params: Params, scenes: Sequence[OpenScene], samples: Sequence[SceneSample]
) -> Mapping[str, Any]:
    """What the operation itself makes of the valid pixels of the sample. Empty if no pixel is valid."""
    valid = reduce(np.logical_and, (_valid(opened, sample) for opened, sample in zip(scenes, samples, strict=True)))
    if not valid.any():
        return {}
    pixels = [_pixels(opened, sample, valid) for opened, sample in zip(scenes, samples, strict=True)]
    return operation.quality(params, pixels, _near_mask(samples, valid))


def registration_shift(scenes: Sequence[OpenScene], sampler: Sampler) -> float | None:
    """Pixels by which the reds of the first two scenes lie apart; None if that cannot be measured.

    The median of up to three tiles of 256 x 256 pixels, nine tenths of which are valid and clear.
    """
    shifts = []
    for tile in sampler.tiles()[:_MOST_TILES]:
        first, second, *_ = (
            to_reflectance(red, opened.bands["red"]) for red, opened in zip(tile.reds, scenes, strict=True)
        )
        shifts.append(shift_between(first, second, tile.valid))
    return median_length([shift for shift in shifts if shift is not None])


def _valid(opened: OpenScene, sample: SceneSample) -> BoolArray:
    valid = reduce(np.logical_and, (valid_pixels(dn, opened.bands[name].nodata) for name, dn in sample.dn.items()))
    return valid if sample.clear is None else valid & sample.clear


def _near_mask(samples: Sequence[SceneSample], valid: BoolArray) -> BoolArray | None:
    """Of the valid pixels, which have ground nearby that a mask hides; None without masks."""
    near = [sample.clarity[valid] == NEAR for sample in samples if sample.clarity is not None]
    return reduce(np.logical_or, near) if near else None


def _pixels(opened: OpenScene, sample: SceneSample, valid: BoolArray) -> Pixels:
    """The valid pixels as one row."""
    reflectance = {name: to_reflectance(dn[valid][np.newaxis], opened.bands[name]) for name, dn in sample.dn.items()}
    return Pixels(reflectance=reflectance, valid=np.ones((1, int(valid.sum())), dtype=np.bool_))


def _has_data(dn: PixelArray, band: Band) -> BoolArray:
    return valid_pixels(dn, band.nodata) | _is_saturated(dn)


def _is_saturated(dn: PixelArray) -> BoolArray:
    return dn == SATURATED if dn.dtype == np.uint16 else np.zeros(dn.shape, dtype=np.bool_)


def _raw(dn: PixelArray, band: Band) -> PixelArray:
    """Reflectance before it is clipped at 0."""
    return dn * np.float64(band.scale) + band.offset


def _darkest(opened: OpenScene, sample: SceneSample, valid: BoolArray) -> float | None:
    """The red reflectance that a thousandth of the pixels does not exceed; None without the red band."""
    if "red" not in sample.dn or not valid.any():
        return None
    return float(np.quantile(_raw(sample.dn["red"][valid], opened.bands["red"]), _PERMILLE))
