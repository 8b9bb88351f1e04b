"""The result of a completed job."""

from datetime import datetime
from typing import Any

from pydantic import Field

from .body import ABSENT, Body, OpenBody


class Geometry(OpenBody):
    """A GeoJSON geometry in WGS 84."""

    type: str
    coordinates: list[Any]


class Histogram(Body):
    """Pixels in `count` bins of one width between `min` and `max`."""

    count: int
    min: float
    max: float
    buckets: list[int]


class ClassShare(Body):
    """How much of the map one class covers."""

    value: int = Field(description="DN of the class in the file.")
    name: str
    pixels: int
    hectares: float = Field(description="On the ellipsoid of WGS 84.")
    percent: float


class Statistics(OpenBody):
    """At full resolution. An index has the first five fields, a map of classes those after them."""

    minimum: float = ABSENT
    maximum: float = ABSENT
    mean: float = ABSENT
    stddev: float = ABSENT
    histogram: Histogram = ABSENT
    classes: list[ClassShare] = ABSENT
    detectable_classes: list[int] = ABSENT
    valid_percent: float = ABSENT
    masked_percent: float = ABSENT
    overlap_percent: float = ABSENT
    aoi_covered_percent: float = ABSENT


class SceneQuality(Body):
    """What the sample says of one scene. null: it cannot be measured."""

    scene_id: str
    clear_percent: float | None
    clipped_percent: float | None
    saturated_percent: float | None
    darkest_red: float | None = Field(description="Red reflectance that a thousandth of the pixels does not exceed.")


class IndexDifference(Body):
    """Of an index, after - before: median, and 1.4826 MAD."""

    median: float
    deviation: float


class Quality(OpenBody):
    """How far to trust the result, estimated from up to 512 x 512 pixels. Those after `scenes` are of two scenes."""

    sampled_pixels: int
    scenes: list[SceneQuality]
    registration_shift_px: float | None = ABSENT
    index_differences: dict[str, IndexDifference] = ABSENT
    changed_percent: float = ABSENT
    unclassified_percent: float | None = ABSENT
    near_mask_percent: float | None = ABSENT
    change_near_mask_percent: float | None = ABSENT


class FileClass(Body):
    """One class of the file, as STAC has it."""

    value: int
    name: str
    description: str = ABSENT
    color_hint: str = ABSENT
    nodata: bool = ABSENT


class SourceFile(OpenBody):
    """A file that was read: where it lies without any token, and how it came onto the result's grid."""

    href: str | None
    etag: str | None
    resampling: str


class SourceBand(SourceFile):
    """A band that was read: reflectance is DN x scale + offset."""

    asset: str
    scale: float
    offset: float
    offset_reason: str
    nodata: float | None
    other_nodata: float = ABSENT


class SourceScene(OpenBody):
    """A scene that the result was made of. Results of older versions say less."""

    scene_id: str = ABSENT
    item: str = ABSENT
    item_href: str | None = ABSENT
    catalogue: str = ABSENT
    collection: str | None = ABSENT
    product: str | None = ABSENT
    datetime: str | None = ABSENT
    processing_baseline: str | None = ABSENT
    relative_orbit: int | None = ABSENT
    wrs_path_row: str | None = ABSENT
    sun_elevation: float | None = ABSENT
    sun_azimuth: float | None = ABSENT
    bands: dict[str, SourceBand] = ABSENT
    offset_check: dict[str, Any] | None = ABSENT
    mask: str | None = ABSENT
    mask_file: SourceFile | None = ABSENT
    masked_classes: list[FileClass] | None = ABSENT


class Provenance(Body):
    """What the result was made of, and by which versions."""

    scenes: list[SourceScene]
    versions: dict[str, str] = ABSENT


class ResultBand(OpenBody):
    """The band of the file, as STAC 1.1 describes one."""

    description: str
    data_type: str
    nodata: float | str = Field(description="A number, or `nan`, which JSON has not.")
    statistics: dict[str, float]


def _later(name: str, description: str | None = None) -> Any:
    """A field that results of older versions lack."""
    return Field(default_factory=dict, alias=name, description=description)


class Result(Body):
    """A completed job's file. After expiry the links, the quality and the notes are null.

    Results of older versions may lack what stands after the checksum.
    """

    href: str | None = Field(description="Signed link to the file, good until `expires_at`. Signed anew by every poll.")
    type: str
    expires_at: datetime
    expired: bool
    file_size: int = Field(alias="file:size", description="Bytes.")
    file_checksum: str = Field(alias="file:checksum", description="Multihash: 1220 and the SHA-256 in hex.")
    proj_code: str | None = _later("proj:code")
    proj_shape: list[int] = _later("proj:shape", "Rows and columns.")
    proj_transform: list[float] = _later("proj:transform", "From (column, row) to coordinates: a, b, c, d, e, f.")
    gsd: float = _later("gsd", "Metres of a pixel.")
    geometry: Geometry = ABSENT
    bbox: list[float] = ABSENT
    bands: list[ResultBand] = ABSENT
    statistics: Statistics = ABSENT
    quality: Quality | None = ABSENT
    notes: list[str] | None = _later("notes", "What no result with these params can show.")
    provenance: Provenance = ABSENT
    classes: list[FileClass] = _later("classification:classes", "Of a map of classes.")
    preview_url: str | None = _later("preview_url", "Signed link to a picture of the result.")
    viewer_url: str | None = _later("viewer_url", "Signed link to a page with the result on a map.")
