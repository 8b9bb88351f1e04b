"""How the DN of a file become what is read on a grid: a band's are blended, a mask's never."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..radiometry.masks import clear_pixels
from ..types import Band, Mask, PixelArray


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """`nodata` is the DN that is never blended into data; None if nothing may be blended at all.

    `convert` turns DN into the reader's output before they are upsampled, while there are fewer pixels.
    """

    nodata: float | None
    convert: Callable[[PixelArray], PixelArray]

    @classmethod
    def of(cls, wanted: Band | Mask) -> "Sampling":
        """A band is read as DN, a mask as booleans: where the ground is clear."""
        if isinstance(wanted, Mask):
            return cls(nodata=None, convert=partial(clear_pixels, kind=wanted.kind))
        return cls(nodata=wanted.nodata, convert=_unchanged)


def _unchanged(dn: PixelArray) -> PixelArray:
    return dn
