"""Sentinel-2 product names, whole or shortened from the right.

`S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616`: satellite, level, start of the datatake, processing
baseline, relative orbit, tile, time of generation. Source: ESA, Sentinel-2 products naming convention.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_FORM = re.compile(
    r"(?P<satellite>S2[A-D])_MSIL2A_(?P<datatake>\d{8}T\d{6})"
    r"(?:_N(?P<baseline>\d{4}))?(?:_R(?P<orbit>\d{3}))?(?:_T(?P<tile>\d{2}[A-Z]{3}))?"
    r"(?:_(?P<generated>\d{8}T\d{6}))?(?:\.SAFE)?"
)


@dataclass(frozen=True, kw_only=True)
class ProductName:
    """The parts of a Sentinel-2 L2A product name; those that the name leaves out are None."""

    satellite: str
    datatake: datetime
    baseline: str | None
    orbit: str | None
    tile: str | None
    generated: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of `text`; None where it is not a product name or its time is no time."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        parts = match.groupdict()
        try:
            datatake = datetime.strptime(parts.pop("datatake"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(datatake=datatake, **parts)

    def names(self, product: str) -> bool:
        """Whether the product of that full name is one that this name, with what it leaves out, can mean."""
        other = ProductName.parse(product)
        return other is not None and all(
            mine is None or mine == getattr(other, part) for part, mine in vars(self).items()
        )
