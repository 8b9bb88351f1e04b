"""The ellipsoid of WGS 84, and areas on it."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ..types import Float64Array

# Semi-major and semi-minor axis in metres, first eccentricity, flattening.
SEMI_MAJOR, SEMI_MINOR, ECCENTRICITY = 6_378_137.0, 6_356_752.314245, 0.081819190842622
FLATTENING = 1 / 298.257223563
# Edges of an area that are as short as this are straight in an equal-area projection, too.
_LONGEST_EDGE_DEGREES = 0.1


def area_on_ground(area: BaseGeometry) -> float:
    """Square metres of an area in WGS 84 degrees, whose edges are straight in longitude and latitude."""

    def to_equal_area(positions: Float64Array) -> Float64Array:
        return np.column_stack([np.radians(positions[:, 0]), area_to_latitude(positions[:, 1])])

    return float(shapely.transform(shapely.segmentize(area, _LONGEST_EDGE_DEGREES), to_equal_area).area)


def area_to_latitude(latitudes: Float64Array) -> Float64Array:
    """Area in m2 per radian of longitude from the equator to each latitude (degrees).

    Source: Snyder (1987), Map Projections: A Working Manual, equation 3-12.
    """
    sine, e = np.sin(np.radians(latitudes)), ECCENTRICITY
    area: Float64Array = SEMI_MINOR**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
    return area
