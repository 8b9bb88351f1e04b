"""A field without any feature, for the small scenes of forced outcomes."""

from dataclasses import dataclass

import numpy as np

from ..types import Float32Array, PixelArray

_VEGETATION, _CLOUD = 4, 9  # of the scene classification
_REFLECTANCE = {"blue": 0.04, "green": 0.07, "red": 0.05, "nir": 0.35, "nir08": 0.36, "swir16": 0.2, "swir22": 0.1}


@dataclass(frozen=True, kw_only=True)
class PlainGround:
    """Clouds hide a share of it; a part `seen` by the satellite has data."""

    size: int = 256
    clouds: float = 0.0
    seen: bool = True

    def reflectance(self, date: str, band: str) -> Float32Array:
        """(rows, columns) of one band, a little brighter from west to east."""
        value = _REFLECTANCE[band] if self.seen else np.nan
        shades = np.linspace(0.9, 1.1, self.size, dtype=np.float32)
        return np.tile(value * shades, (self.size, 1)).astype(np.float32)

    def scene_classification(self, date: str) -> PixelArray:
        classes = np.full((self.size, self.size), _VEGETATION if self.seen else 0, dtype=np.uint8)
        classes[: round(self.clouds * self.size)] = _CLOUD
        return classes

    def truth(self) -> PixelArray:
        return np.zeros((self.size, self.size), dtype=np.uint8)
