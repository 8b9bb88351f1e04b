"""Scenes that a test writes itself, in a local catalogue or behind servers, and the pipeline run on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS

from processing.raster import pipeline
from processing.raster.catalogues.sentinel_2_products import ProductName
from processing.raster.grids.grid import Grid
from processing.raster.operations import get_operation
from processing.raster.sandbox.catalogue import sandbox_catalogue
from processing.raster.sandbox.location import catalogue_folder
from processing.raster.types import Config, Pixels, Product, RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.servers import RangeServer, StacServer

Dense = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Dn = npt.NDArray[np.uint16]
Truth = npt.NDArray[np.bool_]
Reflectances = Mapping[str, Dense]

BEFORE = "S2B_MSIL2A_20240715T184929_N0511_R070_T10SEG_20240715T224157"
AFTER = "S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616"
SCALE, OFFSET = 1e-4, -0.1
WEST, NORTH = 540_000.0, 4_180_000.0
MASKS = ("scl", "qa_pixel")

# Reflectance of typical ground: blue, green, red, nir, swir16, swir22.
SPECTRA = {
    "forest": (0.02, 0.04, 0.025, 0.32, 0.14, 0.06),
    "bare soil": (0.09, 0.13, 0.18, 0.26, 0.34, 0.29),
    "crop": (0.03, 0.07, 0.04, 0.42, 0.19, 0.09),
    "urban": (0.11, 0.13, 0.16, 0.22, 0.23, 0.21),
    "clear water": (0.04, 0.035, 0.02, 0.01, 0.005, 0.003),
    "turbid water": (0.07, 0.10, 0.09, 0.04, 0.01, 0.007),
    "forest shadow": (0.012, 0.02, 0.012, 0.14, 0.05, 0.02),
}
SPECTRUM_COLUMN = {"blue": 0, "green": 1, "red": 2, "nir": 3, "nir08": 3, "swir16": 4, "swir22": 5}


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One file of a scene: its DN and its grid."""

    dn: npt.NDArray[Any]
    grid: Grid


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One scene to be written. `layers` are its files by asset key, of which `scl` and `qa_pixel` are masks."""

    layers: Mapping[str, Layer]
    name: str = BEFORE
    properties: Mapping[str, Any] = field(default_factory=dict)
    scale: float = SCALE
    offset: float = OFFSET

    @property
    def item_id(self) -> str:
        """The id that Earth Search would use."""
        name = ProductName.parse(self.name)
        assert name is not None
        assert name.tile is not None
        return f"{name.satellite}_{name.tile.removeprefix('0')}_{name.datatake:%Y%m%d}_0_L2A"

    def named(self, name: str) -> "Shot":
        return replace(self, name=name)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run made: the product that the API shows, and the pixels and the grid of its file."""

    product: Product
    pixels: npt.NDArray[Any]
    grid: Grid

    @property
    def statistics(self) -> Mapping[str, Any]:
        return self.product.statistics

    @property
    def pixels_by_class(self) -> list[int]:
        return [row["pixels"] for row in self.statistics["classes"]]


def square(
    width: int, height: int, metres: float = 10.0, epsg: int = 32610, west: float = WEST, north: float = NORTH
) -> Grid:
    """A grid of square pixels with north up."""
    return Grid(
        crs=CRS.from_epsg(epsg), transform=Affine(metres, 0, west, 0, -metres, north), width=width, height=height
    )


def to_dn(reflectance: npt.ArrayLike) -> Dn:
    """DN of Sentinel-2 since baseline 04.00; NaN becomes nodata."""
    dn = np.rint((np.asarray(reflectance, np.float64) - OFFSET) / SCALE)
    return np.where(np.isnan(dn), 0, dn).astype(np.uint16)


def to_reflectance(dn: npt.NDArray[Any]) -> Dense:
    return (dn.astype(np.float64) - 1000) / 10_000


def shot(bands: Reflectances, grid: Grid, *, scl: Codes | None = None, name: str = BEFORE, **properties: Any) -> Shot:
    """A scene whose files all lie on one grid."""
    layers = {band: Layer(dn=to_dn(values), grid=grid) for band, values in bands.items()}
    if scl is not None:
        layers["scl"] = Layer(dn=scl, grid=grid)
    return Shot(layers=layers, name=name, properties=properties)


def write_layer(path: Path, layer: Layer, **options: Any) -> Path:
    height, width = layer.dn.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=1,
        dtype=layer.dn.dtype,
        crs=layer.grid.crs,
        transform=layer.grid.transform,
        **{"tiled": True, "blockxsize": 256, "blockysize": 256, **options},
    ) as file:
        file.write(layer.dn, 1)
    return path


def write_shots(directory: Path, *shots: Shot) -> Config:
    """A local catalogue of these scenes, in place of the sandbox's."""
    catalogue = catalogue_folder(directory)
    links = []
    for each in shots:
        folder = catalogue / each.name
        folder.mkdir(parents=True)
        item = _item(each, each.name, _write_files(folder, each))
        (folder / "item.json").write_text(json.dumps(item))
        links.append({"rel": "item", "href": f"./{each.name}/item.json"})
    (catalogue / "catalog.json").write_text(json.dumps({"type": "Catalog", "id": "test", "links": links}))
    assert sandbox_catalogue(directory) == catalogue
    return config_for(sandbox=directory, version="7.8.9")


def serve_shots(stac: StacServer, files: RangeServer, *shots: Shot, **options: Any) -> Config:
    """The same scenes behind a STAC API, their files on a server of byte ranges."""
    return remote_config(stac, files, items_of_shots(files, *shots, **options))


def items_of_shots(files: RangeServer, *shots: Shot, **options: Any) -> list[dict[str, Any]]:
    """Their items, once their files lie on the server."""
    items = []
    for each in shots:
        folder = files.folder / each.item_id
        folder.mkdir(parents=True)
        names = _write_files(folder, each, **options)
        items.append(_item(each, each.item_id, {k: f"{files.url}/{each.item_id}/{n}" for k, n in names.items()}))
    return items


def remote_config(stac: StacServer, files: RangeServer, items: Sequence[Mapping[str, Any]]) -> Config:
    root = stac.serve("sentinel-2-l2a", items)
    return config_for(
        roots={"sentinel-2": (root,)},
        private_hosts=frozenset({stac.host, files.host}),
    )


def compare(config: Config, directory: Path, before: str = BEFORE, after: str = AFTER, **params: Any) -> Result:
    """Change detection of two scenes."""
    return run("change_detection", config, directory, [before, after], **params)


def ndvi(config: Config, directory: Path, name: str = BEFORE, **params: Any) -> Result:
    return run("ndvi", config, directory, [name], **params)


def run(operation: str, config: Config, directory: Path, names: Sequence[str], **params: Any) -> Result:
    """The masks hide exactly what they mark, unless `mask_dilation` is given."""
    scene_ids = tuple(SceneId(provider="sentinel-2", original_id=name) for name in names)
    what = get_operation(operation)
    wanted = what.normalise(what.params_model(**{"mask_dilation": 0, **params}), scene_ids)
    directory.mkdir(exist_ok=True)
    job = RasterJob(operation=operation, scene_ids=scene_ids, params=wanted)
    product = pipeline.run(job, directory, lambda share: None, config)
    with rasterio.open(product.path) as file:
        return Result(product=product, pixels=file.read(1), grid=Grid.of(file))


def classes_of(
    before: Reflectances, after: Reflectances, threshold: float = 0.1, valid: tuple[Truth, Truth] | None = None
) -> Codes:
    """The classes that the operation computes of these bands alone."""
    operation = get_operation("change_detection")
    params = operation.params_model(bands=list(before), threshold=threshold)
    shape = next(iter(before.values())).shape
    seen = valid or (np.ones(shape, np.bool_), np.ones(shape, np.bool_))
    pixels = [
        Pixels(reflectance={name: np.asarray(v, np.float32) for name, v in date.items()}, valid=ok)
        for date, ok in zip((before, after), seen, strict=True)
    ]
    codes: Codes = operation.compute(params, pixels)
    return codes


def lonlat(grid: Grid, across: float = 0.5, down: float = 0.5) -> tuple[Dense, Dense]:
    """Longitude and latitude of a place in every pixel, by default of its centre."""
    columns, rows = np.meshgrid(np.arange(grid.width) + across, np.arange(grid.height) + down)
    xs, ys = grid.transform @ (columns.ravel(), rows.ravel())
    lons, lats = rasterio.warp.transform(grid.crs, CRS.from_epsg(4326), xs, ys)
    return np.reshape(lons, grid.shape), np.reshape(lats, grid.shape)


def _write_files(folder: Path, each: Shot, **options: Any) -> dict[str, str]:
    names = {key: f"{key}.tif" for key in each.layers}
    for key, layer in each.layers.items():
        write_layer(folder / names[key], layer, **options)
    return names


def _item(each: Shot, item_id: str, hrefs: Mapping[str, str]) -> dict[str, Any]:
    date = each.name.split("_")[2]
    radiometry = {"nodata": 0, "scale": each.scale, "offset": each.offset}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item_id,
        "bbox": [-180, -90, 180, 90],
        "geometry": {"type": "Point", "coordinates": [0, 0]},
        "properties": {
            "datetime": f"{date[:4]}-{date[4:6]}-{date[6:8]}T18:56:01Z",
            "platform": "sentinel-2b",
            "s2:product_uri": f"{each.name}.SAFE",
            "s2:processing_baseline": "05.11",
            **each.properties,
        },
        "links": [],
        "assets": {
            key: {"href": href, "raster:bands": [{"nodata": 0} if key in MASKS else radiometry]}
            for key, href in hrefs.items()
        },
    }
