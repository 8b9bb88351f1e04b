"""The sandbox's catalogue: valid items and files, true metadata, and written whole or not at all."""

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from rasterio.warp import transform_bounds

from processing.raster.catalogues.sentinel_2_products import ProductName
from processing.raster.errors import AmbiguousSceneId, SceneNotFound
from processing.raster.sandbox.catalogue import PRODUCTS, TRUTH, sandbox_catalogue
from processing.raster.sandbox.landscape import Landscape
from processing.raster.sandbox.location import VERSION
from processing.raster.sandbox.noise import Floats
from processing.raster.sandbox.provider import find_in_sandbox
from processing.raster.types import COG_MEDIA_TYPE, LocalFile, PixelArray, Scene, SceneId
from tests.raster.sandbox.native_bands import NATIVE_BANDS
from tests.raster.support.cogs import is_valid

DATES = tuple(PRODUCTS)
METRES = {**{key: band.metres for key, band in NATIVE_BANDS.items()}, "scl": 20}
SIZE = 256


def item_path(catalogue: Path, date: str) -> Path:
    return catalogue / PRODUCTS[date] / f"{PRODUCTS[date]}.json"


def item_of(catalogue: Path, date: str) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(item_path(catalogue, date).read_text())
    return item


@pytest.fixture(scope="module")
def catalogue(sandbox: Path) -> Path:
    return sandbox_catalogue(sandbox)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sandbox_catalogue(tmp_path_factory.mktemp("small"), Landscape(size=SIZE))


def test_catalogue_is_valid_stac_and_links_to_both_dates(catalogue: Path) -> None:
    read = pystac.Catalog.from_file(str(catalogue / "catalog.json"))
    assert {item.id for item in read.get_items()} == set(PRODUCTS.values())


@pytest.mark.parametrize("date", DATES)
def test_item_is_valid_stac(catalogue: Path, date: str) -> None:
    text = item_of(catalogue, date)
    for field in ("type", "stac_version", "id", "geometry", "bbox", "properties", "links", "assets"):
        assert field in text
    item = pystac.Item.from_file(str(item_path(catalogue, date)))
    assert (item.id, item.properties["s2:product_uri"]) == (PRODUCTS[date], f"{PRODUCTS[date]}.SAFE")
    assert set(item.assets) == set(METRES)
    assert item.geometry is not None
    ring = np.array(item.geometry["coordinates"][0])
    assert ring[0].tolist() == ring[-1].tolist()
    assert item.bbox == [*ring.min(axis=0), *ring.max(axis=0)]
    for asset in item.assets.values():
        assert asset.media_type == COG_MEDIA_TYPE
        assert Path(str(asset.get_absolute_href())).is_file()


@pytest.mark.parametrize("date", DATES)
def test_item_agrees_with_its_product_name(catalogue: Path, date: str) -> None:
    name = ProductName.parse(PRODUCTS[date])
    assert name is not None
    properties = item_of(catalogue, date)["properties"]
    sensed = datetime.fromisoformat(properties["datetime"])
    assert 0 <= (sensed - name.datatake).total_seconds() < 3600
    assert properties["platform"] == f"sentinel-{name.satellite[1:].lower()}"
    assert properties["s2:processing_baseline"].replace(".", "") == name.baseline
    assert properties["grid:code"] == f"MGRS-{name.tile}"


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("key", METRES)
def test_asset_is_a_cog_whose_metadata_is_true(catalogue: Path, date: str, key: str) -> None:
    item = item_of(catalogue, date)
    asset = item["assets"][key]
    (declared,) = asset["raster:bands"]
    path = item_path(catalogue, date).parent / asset["href"]
    assert is_valid(path)
    with rasterio.open(path) as file:
        assert (file.count, file.crs.to_epsg()) == (1, item["properties"]["proj:epsg"])
        assert list(file.shape) == asset["proj:shape"]
        assert list(file.transform)[:6] == asset["proj:transform"]
        assert (file.dtypes, file.nodata) == ((declared["data_type"],), declared["nodata"])
        assert file.scales == (declared.get("scale", 1),)
        assert file.offsets == (declared.get("offset", 0),)
        assert file.res == (asset["gsd"], asset["gsd"]) == (declared["spatial_resolution"],) * 2
        assert asset["gsd"] == METRES[key]
        bounds = transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    # The item's box is the file's place on the ground, to about a kilometre.
    np.testing.assert_allclose(item["bbox"], bounds, atol=0.01)
    (west, south, east, north), (left, bottom, right, top) = item["bbox"], bounds
    assert (west <= left, south <= bottom, right <= east, top <= north) == (True,) * 4


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("key", NATIVE_BANDS)
def test_bands_are_named_as_those_of_sentinel_2(catalogue: Path, date: str, key: str) -> None:
    native = NATIVE_BANDS[key].name
    asset = item_of(catalogue, date)["assets"][key]
    assert asset["eo:bands"] == [{"name": native, "common_name": key}]
    assert Path(asset["href"]).name == f"{native}.tif"


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("band", ["red", "nir", "swir16"])
def test_pixels_are_the_dn_of_the_landscape(small: Path, date: str, band: str) -> None:
    asset = item_of(small, date)["assets"][band]
    landscape = Landscape(size=SIZE).reflectance(date, band).astype(np.float64)
    with rasterio.open(item_path(small, date).parent / asset["href"]) as file:
        dn = file.read(1)
    np.testing.assert_array_equal(dn == 0, np.isnan(landscape))
    valid = dn != 0
    assert valid.any()
    assert np.abs(dn[valid] * 1e-4 - 0.1 - landscape[valid]).max() <= 0.51e-4


def test_truth_is_a_cog_of_the_changes_on_the_grid_of_red(small: Path) -> None:
    assert is_valid(small / TRUTH)
    red = item_path(small, "before").parent / item_of(small, "before")["assets"]["red"]["href"]
    with rasterio.open(small / TRUTH) as truth, rasterio.open(red) as on:
        np.testing.assert_array_equal(truth.read(1), Landscape(size=SIZE).truth())
        assert (truth.crs, truth.transform, truth.nodata) == (on.crs, on.transform, 255)


def test_second_call_writes_nothing(small: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert sandbox_catalogue(small.parent, Landscape(size=512)) == small
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == stamps
    assert list(small.parent.iterdir()) == [small]


class FailingLandscape(Landscape):
    """Finds the disk full after its first bands."""

    def reflectance(self, date: str, band: str) -> Floats:
        if (date, band) == ("after", "nir"):
            raise OSError("no space left on device")
        return super().reflectance(date, band)


class BrokenLandscape(Landscape):
    def scene_classification(self, date: str) -> PixelArray:
        raise RuntimeError("broken")


@pytest.mark.parametrize(("landscape", "error"), [(FailingLandscape, OSError), (BrokenLandscape, RuntimeError)])
def test_failing_writer_leaves_no_folder_and_the_next_writer_succeeds(
    tmp_path: Path, landscape: type[Landscape], error: type[Exception]
) -> None:
    directory = tmp_path / "sandbox"
    with pytest.raises(error):
        sandbox_catalogue(directory, landscape(size=SIZE))
    assert list(directory.iterdir()) == []
    assert sandbox_catalogue(directory, Landscape(size=SIZE)) == directory / f"v{VERSION}"
    assert list(directory.iterdir()) == [directory / f"v{VERSION}"]


class MeetingLandscape(Landscape):
    """Waits before its last picture until all writers are there."""

    barrier = threading.Barrier(2)

    def scene_classification(self, date: str) -> PixelArray:
        if date == "after":
            self.barrier.wait(30)
        return super().scene_classification(date)


def test_two_writers_at_once_leave_one_whole_catalogue(tmp_path: Path, small: Path) -> None:
    found: list[Path] = []

    def write() -> None:
        found.append(sandbox_catalogue(tmp_path, MeetingLandscape(size=SIZE)))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert found == [tmp_path / f"v{VERSION}"] * 2
    assert list(tmp_path.iterdir()) == [found[0]]
    assert names(found[0]) == names(small)
    for name in names(small):
        assert_same(found[0] / name, small / name)


def names(catalogue: Path) -> set[Path]:
    return {path.relative_to(catalogue) for path in catalogue.rglob("*") if path.is_file()}


def assert_same(written: Path, expected: Path) -> None:
    """The same pixels of a raster, the same bytes of any other file."""
    if written.suffix != ".tif":
        assert written.read_bytes() == expected.read_bytes(), written.name
        return
    with rasterio.open(written) as one, rasterio.open(expected) as other:
        assert one.profile == other.profile
        assert np.array_equal(one.read(), other.read()), written.name


def sandbox_scene(directory: Path, original_id: str) -> Scene:
    return find_in_sandbox(SceneId(provider="sentinel-2", original_id=original_id), directory)


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("parts", range(3, 8))
def test_scene_is_found_by_every_length_of_its_name(small: Path, date: str, parts: int) -> None:
    scene = sandbox_scene(small.parent, "_".join(PRODUCTS[date].split("_")[:parts]))
    assert scene.item_id == PRODUCTS[date]
    assert set(scene.sources) == set(METRES)
    assert all(isinstance(source, LocalFile) and source.path.is_file() for source in scene.sources.values())


@pytest.mark.parametrize("unknown", ["S2A_MSIL2A_20250115T184929", "S2B_MSIL2A_20250116T184929", "anything"])
def test_unknown_scene_is_not_found(small: Path, unknown: str) -> None:
    with pytest.raises(SceneNotFound, match=PRODUCTS["before"]):
        sandbox_scene(small.parent, unknown)


def test_error_of_an_ambiguous_name_has_the_candidates(tmp_path: Path, small: Path) -> None:
    other = PRODUCTS["after"].replace("T10SEG", "T10SEH")
    catalogue = tmp_path / f"v{VERSION}"
    for name in (PRODUCTS["after"], other):
        (catalogue / name).mkdir(parents=True)
        (catalogue / name / f"{name}.json").write_text(json.dumps({**item_of(small, "after"), "id": name}))
    links = [{"rel": "item", "href": f"./{name}/{name}.json"} for name in (PRODUCTS["after"], other)]
    (catalogue / "catalog.json").write_text(json.dumps({"links": links}))
    with pytest.raises(AmbiguousSceneId) as error:
        sandbox_scene(tmp_path, "S2B_MSIL2A_20250115T184929")
    assert error.value.details["candidates"] == [f"sentinel-2:{name}" for name in (PRODUCTS["after"], other)]
