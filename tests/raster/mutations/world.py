"""A real item with files of known ground behind it, served as a catalogue and its hosts would."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.raster.errors import RasterError
from processing.raster.operations.ndvi import NdviParams
from processing.raster.pipeline import run
from processing.raster.types import Config, Product, RasterJob, S3Access, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.pairs import SPECTRA, square
from tests.raster.support.rasters import read_tif, write_tif
from tests.raster.support.served_catalogues import ask_no_real_host, stored_item
from tests.servers import RangeServer, StacServer

Item = dict[str, Any]
Dense = npt.NDArray[np.float64]

GRID = square(240, 200)
# Land of all kinds with some water, so that red has dark and bright pixels.
_GROUNDS = ("forest", "crop", "bare soil", "urban", "clear water", "forest shadow", "crop", "forest")
_JPEG_2000 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}


def _reflectance(column: int) -> Dense:
    random = np.random.default_rng(column)
    fields = np.array([SPECTRA[name][column] for name in _GROUNDS])
    rows, columns = np.indices(GRID.shape) // 20
    ground = fields[(3 * rows + 5 * columns) % len(fields)]
    values: Dense = ground * random.uniform(0.93, 1.07, GRID.shape)
    return values


GROUND: Mapping[str, Dense] = {"red": _reflectance(2), "nir": _reflectance(3)}
TRUTH: Dense = (GROUND["nir"] - GROUND["red"]) / (GROUND["nir"] + GROUND["red"])


def _forget_grid(members: Item) -> None:
    """Remove what the item says of its grid: the small files here lie elsewhere."""
    for name in [name for name in members if name.startswith("proj:")]:
        del members[name]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A stored item, the id by which it is asked for, and how the DN of its files came of reflectance."""

    stored: str
    scene_id: str
    red: str = "red"
    nir: str = "nir"
    scale: float = 1e-4
    offset: float = 0.0
    collection: str = "sentinel-2-l2a"

    @property
    def keys(self) -> dict[str, str]:
        return {"red": self.red, "nir": self.nir}


@dataclass(kw_only=True)
class World:
    """An item and its files, to be changed before they are served. `others` are more items, by their collection."""

    kind: Kind
    item: Item
    files: RangeServer
    others: list[tuple[str, Item]] = field(default_factory=list)
    s3: S3Access | None = None

    @classmethod
    def of(cls, kind: Kind, shared_data: Path, files: RangeServer) -> "World":
        item = {**stored_item(shared_data, kind.stored), "collection": kind.collection}
        for members in (item["properties"], *item["assets"].values()):
            _forget_grid(members)
        ask_no_real_host(item, files.url)
        world = cls(kind=kind, item=item, files=files)
        for band, key in kind.keys.items():
            world.write(band, key)
        return world

    def asset(self, band: str) -> Item:
        """The asset of `red` or `nir`."""
        asset: Item = self.item["assets"][self.kind.keys[band]]
        return asset

    def dn(self, band: str, offset: float | None = None) -> npt.NDArray[np.uint16]:
        """As the kind's files hold them, unless the pixels are shifted by another offset."""
        offset = self.kind.offset if offset is None else offset
        return np.rint((GROUND[band] - offset) / self.kind.scale).astype(np.uint16)

    def write(
        self, band: str, key: str, pixels: npt.NDArray[Any] | None = None, name: str = "", **options: Any
    ) -> None:
        """Write the file of an asset; under another name if one is given."""
        href = self.item["assets"][key]["href"]
        name = name or Path(href).stem + ".tif"
        pixels = self.dn(band) if pixels is None else pixels
        path = self.files.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tif(path, pixels, GRID, **{"tiled": True, "blockxsize": 128, "blockysize": 128, **options})
        self.item["assets"][key]["href"] = f"{self.files.url}/{name}"

    def write_all(self, offset: float) -> None:
        """Both bands with their pixels shifted by this offset."""
        for band, key in self.kind.keys.items():
            self.write(band, key, self.dn(band, offset))

    def write_jpeg_2000(self, band: str, key: str, name: str, offset: float) -> None:
        path = self.files.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tif(path, self.dn(band, offset), GRID, **_JPEG_2000)

    def copy_of_item(self) -> Item:
        return deepcopy(self.item)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a job of NDVI came to."""

    product: Product | None = None
    error: RasterError | None = None
    error_of_ndvi: float = np.inf  # the largest

    @property
    def is_right(self) -> bool:
        return self.error_of_ndvi < 0.01

    @property
    def said(self) -> str:
        """Everything that the caller is told: warnings, or the error's code and sentence."""
        if self.error is not None:
            return f"{self.error.code}: {self.error.message}"
        return " ".join(self.product.warnings) if self.product else ""


def outcome_of(world: World, catalogue: StacServer, directory: Path) -> Outcome:
    """Run NDVI over the world as it is now."""
    provider, _, original_id = world.kind.scene_id.partition(":")
    root = _serve(world, catalogue)
    config: Config = config_for(
        roots={provider: [root]}, private_hosts=frozenset({catalogue.host, world.files.host}), s3=world.s3
    )
    job = RasterJob(
        operation="ndvi", scene_ids=(SceneId(provider=provider, original_id=original_id),), params=NdviParams()
    )
    directory.mkdir()
    try:
        product = run(job, directory, lambda share: None, config)
    except RasterError as error:
        return Outcome(error=error)
    return Outcome(product=product, error_of_ndvi=_largest_error(product))


def _largest_error(product: Product) -> float:
    found = read_tif(product.path)
    if found.shape != TRUTH.shape:
        return float(np.inf)
    return float(np.nanmax(np.abs(found - TRUTH))) if np.isfinite(found).mean() > 0.9 else float(np.inf)


def _serve(world: World, catalogue: StacServer) -> str:
    by_collection: dict[str, list[Item]] = {world.item["collection"]: [world.item]}
    for collection, item in world.others:
        by_collection.setdefault(collection, []).append({**item, "collection": collection})
    return catalogue.serve_all(by_collection)
