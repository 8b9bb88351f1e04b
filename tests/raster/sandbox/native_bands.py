"""The bands of Sentinel-2 that the sandbox has, as ESA defines them."""

from typing import NamedTuple


class NativeBand(NamedTuple):
    name: str
    metres: int


NATIVE_BANDS = {
    "blue": NativeBand("B02", 10),
    "green": NativeBand("B03", 10),
    "red": NativeBand("B04", 10),
    "nir": NativeBand("B08", 10),
    "nir08": NativeBand("B8A", 20),
    "swir16": NativeBand("B11", 20),
    "swir22": NativeBand("B12", 20),
}
