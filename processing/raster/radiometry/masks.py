"""Which pixels are clear, by the masks that come with scenes.

Sources: ESA, Sentinel-2 L2A scene classification (SCL); USGS, Landsat Collection 2 QA_PIXEL; Zhu and Woodcock 2012
(Fmask), which grows clouds and shadows by 3 pixels in all 8 directions.
"""

import numpy as np

from ..types import BoolArray, MaskKind, PixelArray

# Clarity of a pixel: hidden; clear, but near what hides others; clear.
HIDDEN, NEAR, CLEAR = np.uint8(0), np.uint8(1), np.uint8(2)
# Pixels of the mask up to which the ground beside hidden pixels is NEAR.
NEAR_PIXELS = 5

# No data (0); saturated or defective (1).
_LAST_FAULTY_SCL = 1
# Cloud shadow; then cloud medium, cloud high, thin cirrus and snow, which follow each other. Dark areas (2) and
# unclassified pixels (7) count as clear: much good land is among them.
_SHADOW_SCL, _FIRST_CLOUD_SCL, _LAST_CLOUD_SCL = 3, 8, 11

_FILL_QA_BIT = 0b1
# Dilated cloud, cirrus, cloud, cloud shadow, snow.
_CLOUD_QA_BITS = 0b11_1110


def clear_pixels(dn: PixelArray, kind: MaskKind) -> BoolArray:
    """Whether each pixel is clear, by the DN of a mask of that kind."""
    clear: BoolArray = ~(cloudy_pixels(dn, kind) | faulty_pixels(dn, kind))
    return clear


def cloudy_pixels(dn: PixelArray, kind: MaskKind) -> BoolArray:
    """Whether each pixel is cloud, shadow or snow, and not nodata."""
    cloudy: BoolArray
    if kind == "scl":
        cloudy = (dn == _SHADOW_SCL) | ((dn >= _FIRST_CLOUD_SCL) & (dn <= _LAST_CLOUD_SCL))
    else:
        quality = dn.astype(np.uint16)
        cloudy = (quality & _FILL_QA_BIT == 0) & (quality & _CLOUD_QA_BITS != 0)
    return cloudy


def faulty_pixels(dn: PixelArray, kind: MaskKind) -> BoolArray:
    """Whether each pixel has no data, or is known to have wrong ones."""
    faulty: BoolArray = dn <= _LAST_FAULTY_SCL if kind == "scl" else dn.astype(np.uint16) & _FILL_QA_BIT != 0
    return faulty


def clarity(cloudy: BoolArray, faulty: BoolArray, reach: int) -> PixelArray:
    """HIDDEN, NEAR or CLEAR for each pixel of `faulty`, if clouds grow by `reach` pixels.

    `cloudy` has a margin of `reach` + NEAR_PIXELS pixels on all sides.
    """
    if not cloudy.any():
        return ~faulty * CLEAR
    grown = around(cloudy, reach)
    inner = slice(NEAR_PIXELS, -NEAR_PIXELS)
    clear = ~(grown[inner, inner] | faulty)
    far = clear & ~around(grown, NEAR_PIXELS)
    levels: PixelArray = clear.view(np.uint8) + far.view(np.uint8)
    return levels


def around(marked: BoolArray, reach: int) -> BoolArray:
    """Which pixels have a marked one within `reach` rows and columns. The result lacks the margin of `reach` pixels.

    A square rather than a disc: it reaches at least as far in every direction, and a disc of one pixel would leave out
    the neighbours across corners. As rows and columns are separate, its cost grows with the logarithm of `reach` only.
    """
    return _around(_around(marked, reach).T, reach).T


def _around(marked: BoolArray, reach: int) -> BoolArray:
    """The same along columns only."""
    width, wanted = 1, 2 * reach + 1
    while width < wanted:  # `marked` says whether any of `width` pixels, one below the other, is marked
        step = min(width, wanted - width)
        marked = marked[:-step] | marked[step:]
        width += step
    return marked
