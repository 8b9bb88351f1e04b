"""STAC Items of scenes and results, and what a dry run answers."""

from typing import Any, Literal

from pydantic import Field

from .body import ABSENT, Body, OpenBody
from .results import Geometry


class Link(OpenBody):
    rel: str
    href: str
    type: str = ABSENT


class ItemAsset(OpenBody):
    """A file. A scene's bands say with which scale, offset and nodata they would be read."""

    href: str
    type: str = ABSENT
    roles: list[str]


class Item(Body):
    """A STAC 1.1 Item."""

    type: Literal["Feature"]
    stac_version: Literal["1.1.0"]
    stac_extensions: list[str]
    id: str
    geometry: Geometry | None
    bbox: list[float] | None = Field(default_factory=list)
    properties: dict[str, Any]
    links: list[Link]
    assets: dict[str, ItemAsset]


class DryGrid(Body):
    """The grid of the result; nulls where the item does not say in which zone of UTM its pixels lie."""

    proj_code: str | None = Field(alias="proj:code")
    proj_shape: list[int] | None = Field(alias="proj:shape")
    gsd: float | None


class DryLimits(Body):
    pixels_per_job: int
    bytes_per_job: int


class DryRun(Body):
    """What a job would do, by the catalogues' metadata alone."""

    dry_run: Literal[True]
    scenes: list[Item]
    grid: DryGrid
    pixels: int | None
    estimated_seconds: int
    estimated_bytes: int | None
    warnings: list[str]
    limits: DryLimits
