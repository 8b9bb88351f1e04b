"""The sensors whose scenes can be read. A new sensor is one more row of `SENSORS`; all other code reads this table.

Sources: ESA, Sentinel-2 MSI user guide and products naming convention; USGS, Landsat Collection 2 Level-2 guides.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..types import MaskKind, Scene


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """What holds for every scene of a sensor, unless the scene's item says otherwise."""

    name: str
    platforms: tuple[str, ...]  # the STAC property `platform` begins with one of these, in lower case with hyphens
    satellites: str  # regular expression of the part before the first _ of a product's name
    bands: Mapping[str, str]  # common name to native name of every band of reflectance; thermal bands are none
    scale: float
    offset: float
    offset_since: float | None  # processing baseline from which on the offset holds; None: it always holds
    nodata: float  # DN
    gsd: float | None  # metres, of the finest bands; None: unknown
    masks: tuple[MaskKind, ...]

    def common_name(self, name: str) -> str:
        """Common name of the band that the sensor calls `name`; `name` itself if the sensor has no such band."""
        native = native_name(name)
        return next((common for common, own in self.bands.items() if own == native), name)


SENTINEL_2 = Sensor(
    name="Sentinel-2 MSI",
    platforms=("sentinel-2",),
    satellites="S2[A-D]",
    bands={
        "coastal": "B01",
        "blue": "B02",
        "green": "B03",
        "red": "B04",
        "rededge1": "B05",
        "rededge2": "B06",
        "rededge3": "B07",
        "nir": "B08",
        "nir08": "B8A",
        "nir09": "B09",
        "cirrus": "B10",
        "swir16": "B11",
        "swir22": "B12",
    },
    scale=1e-4,
    offset=-0.1,
    offset_since=4.0,
    nodata=0.0,
    gsd=10.0,
    masks=("scl",),
)
OLI = Sensor(
    name="Landsat Collection 2, OLI",
    platforms=("landsat-8", "landsat-9"),
    satellites="L[CO]0[89]",
    bands={
        "coastal": "B01",
        "blue": "B02",
        "green": "B03",
        "red": "B04",
        "nir08": "B05",
        "swir16": "B06",
        "swir22": "B07",
    },
    scale=2.75e-5,
    offset=-0.2,
    offset_since=None,
    nodata=0.0,
    gsd=30.0,
    masks=("qa_pixel",),
)
THEMATIC_MAPPER = replace(
    OLI,
    name="Landsat Collection 2, TM and ETM+",
    platforms=("landsat",),  # after OLI: the first row that matches wins
    satellites="LT0[45]|LE07",
    bands={"blue": "B01", "green": "B02", "red": "B03", "nir08": "B04", "swir16": "B05", "swir22": "B07"},
)

SENSORS = (SENTINEL_2, OLI, THEMATIC_MAPPER)

# Any other sensor: its DN are read like Sentinel-2's, and an asset is a band if its role says so.
UNKNOWN = replace(
    SENTINEL_2, name="unknown", platforms=(), satellites="", bands={}, gsd=None, masks=("scl", "qa_pixel")
)


def sensor_of(scene: Scene) -> Sensor:
    """The sensor that took the scene; UNKNOWN if its platform is in no row."""
    platform = str(scene.properties.get("platform", "")).lower().replace("_", "-")
    return next((sensor for sensor in SENSORS if platform.startswith(sensor.platforms)), UNKNOWN)


def sensor_of_product(name: str) -> Sensor:
    """The same by a product's name alone (S2B_MSIL2A_..., LC08_L2SP_...), before any catalogue is asked."""
    satellite = name.partition("_")[0]
    return next((sensor for sensor in SENSORS if re.fullmatch(sensor.satellites, satellite)), UNKNOWN)


def common_names() -> set[str]:
    """The common names of all sensors' bands."""
    return {common for sensor in SENSORS for common in sensor.bands}


def native_name(name: str) -> str:
    """One spelling of a band's native name: B4, B04, b04, OLI_B4 and B04_10m are all B04."""
    match = re.fullmatch(r"(?:[A-Z]+_)*B0?(\d{1,2})(A?)(?:_\d+m)?", name, flags=re.IGNORECASE)
    return f"B{int(match[1])}A" if match and match[2] else f"B{int(match[1]):02}" if match else name
