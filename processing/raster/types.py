"""The values that travel through the raster code. All are frozen; none knows Django, GDAL or the network."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from .errors import InvalidSceneId
from .params import Params

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
PixelArray = npt.NDArray[Any]

# Called with the share of the work that is done (0..1). May raise `Stopped` to end the work.
Tick = Callable[[float], None]

PNG_MEDIA_TYPE = "image/png"
COG_MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"

PREVIEW, THUMBNAIL = "preview", "thumbnail"  # pictures of a result itself: for a map, and for a list

FULL_MANTISSA = 23  # bits of a float32

_SCENE_ID = re.compile(r"(?P<provider>[a-z][a-z0-9-]{1,40}):(?P<original>[A-Za-z0-9][A-Za-z0-9_.-]{2,150})")


def moment_of(text: Any) -> datetime | None:
    """The time that a STAC item states, in UTC if it names no zone; None if it is no time."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class SceneId:
    """A scene as the caller names it: `provider:original_id`."""

    provider: str
    original_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split `text`. Raises InvalidSceneId if it does not have the form `provider:original_id`."""
        match = _SCENE_ID.fullmatch(text)
        if match is None:
            raise InvalidSceneId.of_form(text)
        return cls(provider=match["provider"], original_id=match["original"])

    def __str__(self) -> str:
        return f"{self.provider}:{self.original_id}"


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A raster on this machine's disk. Only our own sandbox makes these; a catalogue's href never becomes one."""

    path: Path


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A raster behind http(s). If `token_url` is set, a token from there must be added when the file is read."""

    url: str
    token_url: str = ""


@dataclass(frozen=True, kw_only=True)
class S3File:
    """A raster in a bucket that asks for credentials or for the reader to pay."""

    bucket: str
    key: str


Source = LocalFile | RemoteFile | S3File

# How the tiles of results are compressed.
Compression = Literal["deflate", "zstd"]

# Sentinel-2 scene classification; Landsat Collection 2 quality bits.
MaskKind = Literal["scl", "qa_pixel"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One scene of a catalogue: its STAC Item, and the source of each of its assets that can be read.

    `catalogue` is the host of the STAC API that has it. `warnings` say what is not certain about its being the scene
    that was asked for. A job over a scene of the sandbox may take its time on purpose: `least_seconds`.
    """

    id: SceneId
    item: Mapping[str, Any]
    sources: Mapping[str, Source]
    catalogue: str = ""
    warnings: tuple[str, ...] = ()
    least_seconds: float = 0.0

    @property
    def item_id(self) -> str:
        return str(self.item["id"])

    @property
    def collection(self) -> str | None:
        declared = self.item.get("collection")
        return declared if isinstance(declared, str) else None

    @property
    def properties(self) -> Mapping[str, Any]:
        return self.item.get("properties") or {}

    @property
    def assets(self) -> Mapping[str, Mapping[str, Any]]:
        return self.item.get("assets") or {}

    @property
    def datetime(self) -> datetime | None:
        """When the scene was sensed, in UTC; None if the item does not say."""
        return moment_of(self.properties.get("datetime"))


@dataclass(frozen=True, kw_only=True)
class Band:
    """One band of a scene, and how its DN become reflectance: DN x scale + offset.

    `other_nodata` is a second DN that means no data, if the item and the file declare different ones.
    """

    scene_id: str
    name: str
    asset: str
    source: Source
    scale: float
    offset: float
    offset_reason: str
    nodata: float
    other_nodata: float | None = None

    def provenance(self) -> dict[str, Any]:
        other = {} if self.other_nodata is None else {"other_nodata": self.other_nodata}
        return {
            "asset": self.asset,
            "scale": self.scale,
            "offset": self.offset,
            "offset_reason": self.offset_reason,
            "nodata": self.nodata,
            **other,
        }


@dataclass(frozen=True, kw_only=True)
class Mask:
    """The file in which a scene's catalogue marks clouds, and the kind of its values."""

    scene_id: str
    asset: str
    source: Source
    kind: MaskKind


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A window of one scene: per band a (rows, columns) array of reflectance, and where all bands are valid.

    Reflectance is a fraction, clipped at 0. It means nothing where `valid` is False.
    """

    reflectance: Mapping[str, Float32Array]
    valid: BoolArray


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How one band is stored in a file."""

    dtype: str
    nodata: float
    overview_resampling: str
    mantissa_bits: int = FULL_MANTISSA  # of a float32 that are kept; fewer make a smaller file
    scale: float = 1.0
    offset: float = 0.0
    description: str = ""
    palette: tuple[tuple[int, int, int, int], ...] = ()
    class_names: tuple[str, ...] = ()

    def as_band(self, statistics: Mapping[str, float]) -> dict[str, Any]:
        """The band as STAC 1.1 describes one; `statistics` are those of its DN."""
        scaled = {"raster:scale": self.scale, "raster:offset": self.offset} if self.scale != 1 or self.offset else {}
        return {
            "description": self.description,
            "data_type": self.dtype,
            "nodata": "nan" if isnan(self.nodata) else self.nodata,  # JSON has no NaN
            "statistics": dict(statistics),
            **scaled,
        }


@dataclass(frozen=True, kw_only=True)
class RasterJob:
    """What a job asks for. `params` are of the operation's own model."""

    operation: str
    scene_ids: tuple[SceneId, ...]
    params: Params


@dataclass(frozen=True, kw_only=True)
class S3Access:
    """How buckets of scenes are read; never the credentials of our own results.

    `regions` are those of single buckets, `region` is that of all others.
    """

    access_key: str
    secret_key: str = field(repr=False)
    region: str = ""
    regions: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = ""  # host or URL of a store that is not AWS
    requester_pays: bool = False


@dataclass(frozen=True, kw_only=True)
class Network:
    """Hosts that may be reached though not public (host:port), buckets, and whether failing ones are asked again."""

    private_hosts: frozenset[str] = frozenset()
    s3: S3Access | None = None
    asks_again: bool = True


@dataclass(frozen=True, kw_only=True)
class Catalogues:
    """Where scenes are looked up: in the sandbox in that folder, else in the providers' catalogues.

    `roots` are those of STAC APIs by provider, in the order in which they are asked. A provider without any has its
    own. `token_root` is where Planetary Computer's tokens come from, empty for its own.
    """

    sandbox: Path | None = None
    roots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    token_root: str = ""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one job may take. `max_pixels` are those that it reads of one band, and those of its result.

    `max_bytes` of remote files may be copied to the disk, of which `disk_reserve` bytes stay free.
    """

    max_pixels: float
    max_bytes: float = float("inf")
    disk_reserve: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """The operator's decisions about a job."""

    catalogues: Catalogues
    network: Network
    limits: Limits
    threads: int = 1
    compression: Compression = "deflate"
    version: str = ""  # of this software, for the file's tags


@dataclass(frozen=True, kw_only=True)
class Product:
    """A finished, verified COG on disk, its pictures, and everything the API says about it."""

    path: Path
    size: int
    sha256: str
    proj_code: str | None
    shape: tuple[int, int]
    gsd: float
    transform: tuple[float, ...]  # (column, row) to coordinates, as STAC has it: a, b, c, d, e, f
    geometry: Mapping[str, Any]  # GeoJSON
    bbox: tuple[float, float, float, float]
    bands: tuple[Mapping[str, Any], ...]  # as STAC 1.1 describes them
    statistics: Mapping[str, Any]
    provenance: Mapping[str, Any]
    extra_fields: Mapping[str, Any]
    quality: Mapping[str, Any]
    notes: tuple[str, ...]
    pictures: Mapping[str, Path]  # PNG files by name, those that could be made
    warnings: tuple[str, ...]
