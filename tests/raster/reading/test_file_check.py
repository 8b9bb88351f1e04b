"""Files against their items: what the file holds decides, and what the item says otherwise is a warning."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.crs import CRS

from processing.raster.errors import SceneUnreadable
from processing.raster.radiometry.bands import band_of_file_name
from processing.raster.radiometry.sensors import OLI, SENTINEL_2, THEMATIC_MAPPER, Sensor
from processing.raster.types import PixelArray
from tests.raster.support.pairs import Layer, Result, Shot, ndvi, square, to_dn, write_layer, write_shots
from tests.raster.support.rasters import read_tif, write_tif

GRID = square(60, 50)
RED, NIR = np.full(GRID.shape, 0.05), np.full(GRID.shape, 0.35)
NDVI = 0.75
CORNER = (slice(0, 10), slice(0, 10))


def layers(red: PixelArray | None = None, nir: PixelArray | None = None, **more: PixelArray) -> dict[str, Layer]:
    dn = {"red": to_dn(RED) if red is None else red, "nir": to_dn(NIR) if nir is None else nir, **more}
    return {key: Layer(dn=pixels, grid=GRID) for key, pixels in dn.items()}


def ndvi_of(directory: Path, bands: Mapping[str, Layer], declared: float | None = 0, **options: Any) -> Result:
    """NDVI of a scene whose item declares that nodata; `options` are those of its files."""
    scene = Shot(layers=bands)
    config = write_shots(directory / "scenes", scene)
    for path in (directory / "scenes").rglob("*.tif"):
        if options and path.stem in ("red", "nir"):
            write_layer(path, bands[path.stem], **options)
    (item,) = (directory / "scenes").rglob("item.json")
    item.write_text(item.read_text().replace('"nodata": 0,', f'"nodata": {declared},' if declared is not None else ""))
    return ndvi(config, directory / "out", cloud_mask="scl" in bands)


def values(result: Result) -> PixelArray:
    finite: PixelArray = result.pixels[np.isfinite(result.pixels)]
    return finite


def with_corner(dn: PixelArray, value: float) -> PixelArray:
    dn = dn.copy()
    dn[CORNER] = value
    return dn


# --- Nodata ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", [-9999, 70_000, 0.5])
def test_nodata_that_no_dn_can_be_is_a_warning_and_0_is_masked(tmp_path: Path, declared: float) -> None:
    bands = layers(red=with_corner(to_dn(RED), 0))
    result = ndvi_of(tmp_path, bands, declared)
    assert np.isnan(result.pixels[CORNER]).all()
    assert np.isfinite(result.pixels).sum() == result.pixels.size - 100
    assert len(result.product.warnings) == 2  # of red and of nir
    assert all(f"nodata {declared:g}" in said and "uint16" in said for said in result.product.warnings)


def test_both_nodata_are_masked_if_item_and_file_differ(tmp_path: Path) -> None:
    red = with_corner(to_dn(RED), 77)
    red[20:30, 20:30] = 0
    result = ndvi_of(tmp_path, layers(red=red), 0, nodata=77)
    assert np.isnan(result.pixels[CORNER]).all()
    assert np.isnan(result.pixels[20:30, 20:30]).all()
    np.testing.assert_allclose(values(result), NDVI, atol=1e-6)
    assert all("nodata 0" in said and "77" in said for said in result.product.warnings)
    assert len(result.product.warnings) == 2
    band = result.product.provenance["scenes"][0]["bands"]["red"]
    assert (band["nodata"], band["other_nodata"]) == (77, 0)


def test_nodata_of_the_file_holds_without_a_warning_if_the_item_declares_none(tmp_path: Path) -> None:
    result = ndvi_of(tmp_path, layers(red=with_corner(to_dn(RED), 77)), None, nodata=77)
    assert np.isnan(result.pixels[CORNER]).all()
    assert result.product.warnings == ()


def test_second_nodata_never_bleeds_where_bands_are_resampled(tmp_path: Path) -> None:
    coarse = square(30, 25, metres=20.0)
    nir = np.full(coarse.shape, to_dn(NIR)[0, 0])
    nir[5:8, 5:8] = 60_000
    bands = {**layers(), "nir": Layer(dn=nir, grid=coarse)}
    result = ndvi_of(tmp_path, bands, 60_000, nodata=0)
    assert np.isnan(result.pixels[10:16, 10:16]).all()
    np.testing.assert_allclose(values(result), NDVI, atol=1e-6)


def test_second_nodata_never_bleeds_where_bands_are_warped(tmp_path: Path) -> None:
    turned = replace(GRID, transform=GRID.transform @ GRID.transform.rotation(3) @ GRID.transform.scale(1.5))
    nir = np.full(turned.shape, to_dn(NIR)[0, 0])
    nir[5:8, 5:8] = 60_000
    result = ndvi_of(tmp_path, {**layers(), "nir": Layer(dn=nir, grid=turned)}, 60_000, nodata=0)
    assert values(result).size > 500
    np.testing.assert_allclose(values(result), NDVI, atol=1e-6)


# --- Values ---------------------------------------------------------------------------------------------------------


def test_reflectance_is_not_scaled_again(tmp_path: Path) -> None:
    bands = layers(red=RED.astype(np.float32), nir=NIR.astype(np.float32))
    result = ndvi_of(tmp_path, bands)
    np.testing.assert_allclose(values(result), NDVI, atol=1e-6)
    assert len(result.product.warnings) == 2
    assert all("reflectance already" in said for said in result.product.warnings)


def test_dn_in_floats_are_scaled(tmp_path: Path) -> None:
    bands = layers(red=to_dn(RED).astype(np.float32), nir=to_dn(NIR).astype(np.float32))
    result = ndvi_of(tmp_path, bands)
    np.testing.assert_allclose(values(result), NDVI, atol=1e-6)
    assert result.product.warnings == ()


@pytest.mark.parametrize(("dtype", "count"), [("uint8", 1), ("uint8", 3), ("uint16", 3)])
def test_picture_is_never_a_band(tmp_path: Path, dtype: str, count: int) -> None:
    config = write_shots(tmp_path / "scenes", Shot(layers=layers(red=np.full(GRID.shape, 90, dtype))))
    (path,) = (tmp_path / "scenes").rglob("red.tif")
    write_tif(path, read_tif(path), GRID, count=count)
    with pytest.raises(SceneUnreadable, match="picture") as error:
        ndvi(config, tmp_path / "out")
    assert error.value.details["asset"] == "red"


# --- Masks ----------------------------------------------------------------------------------------------------------


def scl(odd: int) -> PixelArray:
    """Cloud at the left, and that many values that no SCL has."""
    codes = np.full(GRID.shape, 4, np.uint8)
    codes[:, :20] = 9
    codes.flat[:odd] = 200
    return codes


def test_scl_of_other_values_is_no_mask(tmp_path: Path) -> None:
    result = ndvi_of(tmp_path, layers(scl=scl(odd=300)))
    assert np.isfinite(result.pixels).all()
    (said,) = result.product.warnings
    assert "10 %" in said
    assert "no cloud mask" in said
    assert result.product.provenance["scenes"][0]["mask"] is None


def test_few_odd_values_are_no_matter(tmp_path: Path) -> None:
    """Real masks have some."""
    result = ndvi_of(tmp_path, layers(scl=scl(odd=3)))
    assert np.isnan(result.pixels[1:, :20]).all()
    assert result.product.warnings == ()


def test_floats_are_no_mask(tmp_path: Path) -> None:
    result = ndvi_of(tmp_path, layers(scl=scl(0).astype(np.float32)))
    assert np.isfinite(result.pixels).all()
    assert [said for said in result.product.warnings if "float32" in said]


# --- Place and name -------------------------------------------------------------------------------------------------


def test_crs_and_size_that_the_file_has_not_are_warnings(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", Shot(layers=layers(), properties={"proj:code": "EPSG:32611"}))
    (item,) = (tmp_path / "scenes").rglob("item.json")
    item.write_text(item.read_text().replace('"raster:bands"', '"proj:shape": [10980, 10980], "raster:bands"'))
    about_crs, about_size = ndvi(config, tmp_path / "out").product.warnings
    assert "EPSG:32611" in about_crs
    assert "EPSG:32610" in about_crs
    assert "10980 x 10980" in about_size
    assert "50 x 60" in about_size


def warned_of_size(directory: Path, shape: list[int], transform: list[float] | None) -> bool:
    """Whether a job on files of 50 x 60 pixels of 10 m warns, if their item declares this shape and transform."""
    config = write_shots(directory / "scenes", Shot(layers=layers()))
    (path,) = (directory / "scenes").rglob("item.json")
    item = json.loads(path.read_text())
    for asset in item["assets"].values():
        asset |= {"proj:shape": shape, **({"proj:transform": transform} if transform else {})}
    path.write_text(json.dumps(item))
    said = ndvi(config, directory / "out").product.warnings
    assert all("50 x 60" in sentence and f"{shape[0]} x {shape[1]}" in sentence for sentence in said)
    return len(said) > 0


def declared(metres: float, east: float = 0.0, south: float = 0.0) -> list[float]:
    """A transform that begins so many metres beside that of the files."""
    return [metres, 0, GRID.transform.c + east, 0, -metres, GRID.transform.f - south]


@pytest.mark.parametrize(
    ("shape", "transform"),
    [
        ([100, 120], declared(5)),
        ([500, 600], [*declared(1), 0, 0, 1]),
        ([99, 119], declared(5)),  # a part of a pixel was left out
        ([100, 120], declared(5, east=9.9, south=-9.9)),
    ],
)
def test_thinned_copy_is_no_warning(tmp_path: Path, shape: list[int], transform: list[float]) -> None:
    assert not warned_of_size(tmp_path, shape, transform)


@pytest.mark.parametrize(
    ("shape", "transform"),
    [
        ([100, 120], None),  # nothing says that it is the same ground
        ([100, 120], declared(5, east=10.1)),
        ([100, 120], declared(5, south=-10.1)),
        ([100, 120], declared(10)),
        ([100, 180], declared(5)),
        ([75, 90], declared(10 / 1.5)),
        ([25, 30], declared(20)),
        ([51, 60], declared(10)),
    ],
)
def test_other_size_than_that_of_a_thinned_copy_is_a_warning(
    tmp_path: Path, shape: list[int], transform: list[float] | None
) -> None:
    assert warned_of_size(tmp_path, shape, transform)


def test_crs_that_the_file_has_is_no_warning(tmp_path: Path) -> None:
    assert GRID.crs == CRS.from_epsg(32610)
    config = write_shots(tmp_path / "scenes", Shot(layers=layers(), properties={"proj:epsg": 32610}))
    assert ndvi(config, tmp_path / "out").product.warnings == ()


@pytest.mark.parametrize("key", ["nir08", "nir"])
def test_narrow_near_infrared_instead_of_the_broad_one_is_a_warning(tmp_path: Path, key: str) -> None:
    red, nir = layers().values()
    config = write_shots(tmp_path / "scenes", Shot(layers={"red": red, key: nir}))
    said = ndvi(config, tmp_path / "out").product.warnings
    assert len(said) == (key == "nir08")
    assert all("nir08" in sentence for sentence in said)


def test_file_that_is_named_by_another_band_is_a_warning(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", Shot(layers=layers()))
    (path,) = (tmp_path / "scenes").rglob("red.tif")
    path.rename(path.with_name("T10SEG_B08_10m.tif"))
    (item,) = (tmp_path / "scenes").rglob("item.json")
    item.write_text(item.read_text().replace("red.tif", "T10SEG_B08_10m.tif"))
    (said,) = ndvi(config, tmp_path / "out").product.warnings
    assert "band nir" in said
    assert "read as red" in said


@pytest.mark.parametrize(
    ("href", "sensor", "named"),
    [
        ("https://host/B04.tif", SENTINEL_2, "red"),
        ("s3://host/T36NYH_20200322T074609_B8A_20m.jp2", SENTINEL_2, "nir08"),
        ("https://host/nir.tif?se=B04", SENTINEL_2, "nir"),
        ("./B08/B04.tif", SENTINEL_2, "red"),
        ("https://host/LC08_L2SP_028030_20200114_20200824_02_T1_SR_B4.TIF", OLI, "red"),
        ("https://host/LE07_L2SP_044033_20210329_20210424_02_T1_SR_B4.TIF", THEMATIC_MAPPER, "nir08"),
        ("https://host/red_nir.tif", SENTINEL_2, None),
        ("https://host/image.tif", SENTINEL_2, None),
        ("https://host/B99.tif", SENTINEL_2, None),
    ],
)
def test_band_of_a_file_name(href: str, sensor: Sensor, named: str | None) -> None:
    assert band_of_file_name(href, sensor) == named
