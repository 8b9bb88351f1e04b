"""How far two images of the same ground are shifted against each other, by phase correlation.

Sources: Kuglin and Hines 1975 (phase correlation); Guizar-Sicairos, Thurman and Fienup 2008 (the peak at a fraction of
a pixel, from a Fourier transform of its surroundings alone).
"""

from math import hypot

import numpy as np
import numpy.typing as npt

from ..types import BoolArray, Float32Array

Complex = npt.NDArray[np.complex128]

TILE = 256  # pixels a side
_LEAST_VALID = 0.9  # of a tile: gaps lie at the same place in both images and would pull the shift to 0
# Standard deviations by which the peak stands out. Images that do not match have peaks of about 6.
_LEAST_PEAK = 12.0
# Cycles a pixel. Higher frequencies are mostly noise, and interpolation shifts them by less than the others.
_FREQUENCY_SIGMA = 0.1
_STEPS = 50  # a pixel is divided into so many
_FARTHEST = 32  # pixels


def shift_between(first: Float32Array, second: Float32Array, valid: BoolArray) -> tuple[float, float] | None:
    """(rows, columns) by which `second` lies further down and right than `first`; None if that cannot be measured.

    All have the shape TILE x TILE. Shifts of up to 32 pixels are measured to about 0.05 pixel.
    """
    if valid.shape != (TILE, TILE) or valid.mean() < _LEAST_VALID:
        return None
    one, other = _spectrum(first, valid), _spectrum(second, valid)
    cross = other * one.conj()
    strength = np.abs(cross)
    if not strength.any():
        return None
    cross = np.divide(cross, strength, out=np.zeros_like(cross), where=strength > 0)
    cross *= _weights()
    surface = np.fft.ifft2(cross).real
    row, column = (_signed(place) for place in np.unravel_index(int(surface.argmax()), surface.shape))
    if surface.max() < _LEAST_PEAK * surface.std() or max(abs(row), abs(column)) > _FARTHEST:
        return None
    return _refined(cross, row, column)


def median_length(shifts: list[tuple[float, float]]) -> float | None:
    """Pixels, by the median of the rows and that of the columns. None if there are no shifts."""
    if not shifts:
        return None
    rows, columns = np.median(shifts, axis=0)
    return hypot(rows, columns)


def _spectrum(image: Float32Array, valid: BoolArray) -> Complex:
    """Of the image faded out towards its edges, which do not meet as a Fourier transform takes it."""
    centred = np.where(valid, image - image[valid].mean(), 0)
    fade = np.hanning(TILE)
    spectrum: Complex = np.fft.fft2(centred * fade[:, np.newaxis] * fade)
    return spectrum


def _weights() -> npt.NDArray[np.float64]:
    along = np.exp(-0.5 * (np.fft.fftfreq(TILE) / _FREQUENCY_SIGMA) ** 2)
    weights: npt.NDArray[np.float64] = along[:, np.newaxis] * along
    return weights


def _signed(place: np.intp) -> int:
    return int(place) if place < TILE // 2 else int(place) - TILE


def _refined(cross: Complex, row: int, column: int) -> tuple[float, float]:
    """The peak within half a pixel of (row, column)."""
    steps = np.arange(-_STEPS // 2, _STEPS // 2 + 1) / _STEPS
    frequencies = np.fft.fftfreq(TILE)
    down = np.exp(2j * np.pi * np.outer(row + steps, frequencies))
    across = np.exp(2j * np.pi * np.outer(frequencies, column + steps))
    surface = (down @ cross @ across).real
    best_row, best_column = np.unravel_index(int(surface.argmax()), surface.shape)
    return row + float(steps[best_row]), column + float(steps[best_column])
