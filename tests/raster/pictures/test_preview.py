"""The picture of a result is what rasterio reads from the COG and warps by itself, in the same colours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform

from processing.raster.cog import CogWriter
from processing.raster.colormaps import colors
from processing.raster.gdal import gdal_environment
from processing.raster.grids.footprint import bbox
from processing.raster.grids.grid import Grid
from processing.raster.operations import get_operation
from processing.raster.params import Params
from processing.raster.pictures import need_overviews_only, pictures_of_result
from tests.raster.support.cogs import write_cog

UTM_10 = Grid(crs=CRS.from_epsg(32610), transform=Affine(10, 0, 540_000, 0, -10, 4_180_000), width=1500, height=1300)
GRIDS = {
    "small": UTM_10,
    "halved twice": Grid(crs=UTM_10.crs, transform=UTM_10.transform, width=4300, height=900),
    "degrees": Grid(crs=CRS.from_epsg(4326), transform=Affine(1e-4, 0, 10, 0, -1e-4, 60), width=700, height=500),
    "across the antimeridian": Grid(
        crs=CRS.from_epsg(32601), transform=Affine(10, 0, 205_000, 0, -10, 7_000_000), width=900, height=800
    ),
    "turned": Grid(crs=UTM_10.crs, transform=UTM_10.transform @ Affine.rotation(20), width=600, height=900),
}
_MOST_BETWEEN = 0.005
CHANGE = get_operation("change_detection")
RESULTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "raw": ("ndvi", {}),
    "compact": ("ndvi", {"precision": "compact"}),
    "palette": ("ndvi", {"colormap": "viridis"}),
    "classes": ("change_detection", {}),
}


def drawn(folder: Path, grid: Grid, name: str, asked: dict[str, Any], which: str = "preview") -> tuple[Path, Path]:
    """A COG of random values with gaps, and one of its pictures."""
    operation = get_operation(name)
    params: Params = operation.params_model.model_validate(asked)
    random = np.random.default_rng(7)
    if name == "ndvi":
        values = random.uniform(-1, 1, grid.shape).astype(np.float32)
    else:
        values = random.integers(0, 5, grid.shape).astype(np.uint8)
    values[random.random(grid.shape) < 0.05] = operation.nothing
    values[: grid.height // 3, : grid.width // 4] = operation.nothing
    cog = folder / "output.tif"
    write_cog(cog, grid, operation.pixel_format(params), operation.encode(params, values))
    return cog, pictures_of_result(cog, operation, params)[which]


def shown(picture: Path) -> npt.NDArray[np.uint8]:
    """(4, rows, columns) of RGBA, as a browser shows it."""
    with rasterio.open(picture) as file:
        palette = np.array([file.colormap(1)[index] for index in range(256)], dtype=np.uint8)
        rgba: npt.NDArray[np.uint8] = palette[file.read(1)].transpose(2, 0, 1)
        return rgba


def warped_by_rasterio(cog: Path, grid: Grid, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """The COG's overview that has the picture's resolution, on the picture's grid: the bbox in web mercator."""
    west, south, east, north = bbox(grid)
    middle = (west + (east if east >= west else east + 360)) / 2
    # Around its own middle, as EPSG:3857 ends at the antimeridian; elsewhere the two are one but for a shift.
    mercator = CRS.from_string(f"+proj=merc +a=6378137 +b=6378137 +lon_0={middle} +units=m +nadgrids=@null +no_defs")
    degrees = CRS.from_epsg(4326)
    (left, right), (bottom, top) = transform(degrees, mercator, [west, east], [south, north])
    rows, columns = shape
    on = Affine((right - left) / columns, 0, left, 0, (bottom - top) / rows, top)
    level = {"overview_level": 1} if max(grid.shape) > 4096 else {}
    with (
        rasterio.open(cog, **level) as file,
        WarpedVRT(
            file, crs=mercator, transform=on, width=columns, height=rows, resampling=Resampling.nearest, tolerance=0.001
        ) as warped,
    ):
        pixels: npt.NDArray[Any] = warped.read(1, masked=True)
        return pixels


@pytest.mark.parametrize("place", GRIDS)
@pytest.mark.parametrize("kind", RESULTS)
def test_preview_is_the_result_warped(tmp_path: Path, place: str, kind: str) -> None:
    name, asked = RESULTS[kind]
    cog, picture = drawn(tmp_path, GRIDS[place], name, asked)
    rgba = shown(picture)
    expected = warped_by_rasterio(cog, GRIDS[place], rgba.shape[1:])
    hidden = np.ma.getmaskarray(expected)

    # Some pixels lie on the line between two, a hundredth of a pixel wide: they may be either.
    assert np.count_nonzero((rgba[3] == 0) != hidden) <= _MOST_BETWEEN * hidden.size
    steps = np.abs(rank(rgba, kind) - step(expected, kind))[(rgba[3] > 0) & ~hidden]
    assert np.count_nonzero(steps > 1) <= _MOST_BETWEEN * hidden.size


def rank(rgba: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[np.int64]:
    """Which colour of the legend each pixel has."""
    if kind == "classes":
        legend = np.array(CHANGE.pixel_format(CHANGE.params_model()).palette)[:, :3]
    else:
        legend = colors("viridis" if kind == "palette" else "rdylgn", 255)
    codes = (legend.astype(np.int64) @ [65536, 256, 1]).tolist()
    found = np.tensordot([65536, 256, 1], rgba[:3].astype(np.int64), axes=1)
    ranks = np.full(found.shape, -1000)
    for index, code in enumerate(codes):
        ranks[found == code] = index
    return ranks


def step(values: npt.NDArray[Any], kind: str) -> npt.NDArray[np.int64]:
    """Which colour of the legend a value should have."""
    plain = np.ma.filled(values, 0)
    if kind == "classes":
        return np.asarray(plain, dtype=np.int64)
    if kind == "palette":
        return np.asarray(plain, dtype=np.int64) - 1
    steps: npt.NDArray[np.int64] = np.rint((np.nan_to_num(plain) + 1) * 127).astype(np.int64)
    return steps


def test_picture_has_at_most_2048_pixels_on_a_side(tmp_path: Path) -> None:
    tall = Grid(crs=UTM_10.crs, transform=UTM_10.transform, width=120, height=5000)
    rgba = shown(drawn(tmp_path, tall, "ndvi", {})[1])
    assert 1024 < max(rgba.shape) <= 2048


@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.parametrize("side", [60, 700, 5000])
def test_thumbnail_is_small_and_has_its_gap_in_the_same_place(tmp_path: Path, kind: str, side: int) -> None:
    grid = Grid(crs=UTM_10.crs, transform=UTM_10.transform, width=side, height=side)
    _, rows, columns = (rgba := shown(drawn(tmp_path, grid, *RESULTS[kind], "thumbnail")[1])).shape
    assert max(rows, columns) <= 96
    assert rgba[3, 5 : rows // 3 - 5, 5 : columns // 4 - 5].max() == 0
    assert (rgba[3, rows // 2 :, columns // 2 :] > 0).mean() > 0.7


def test_failure_leaves_the_picture_out_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "output.tif").write_bytes(b"no TIFF")
    operation = get_operation("ndvi")
    assert pictures_of_result(tmp_path / "output.tif", operation, operation.params_model()) == {}
    assert "preview.png is left out" in caplog.text


@pytest.mark.parametrize("grid", [GRIDS["small"], GRIDS["halved twice"]])
def test_pictures_of_overviews_are_the_same_before_the_file_is_finished(tmp_path: Path, grid: Grid) -> None:
    operation = get_operation("ndvi")
    params = operation.params_model()
    values = np.random.default_rng(7).uniform(-1, 1, grid.shape).astype(np.float32)
    with gdal_environment(), CogWriter(tmp_path / "output.tif", grid, operation.pixel_format(params)) as cog:
        for window in cog.windows():
            cog.write(window, values[window.toslices()])
        begun = cog.write_overviews()
        early = {name: file.read_bytes() for name, file in pictures_of_result(begun, operation, params).items()}
        written = cog.finish()
    late = {name: file.read_bytes() for name, file in pictures_of_result(written.path, operation, params).items()}
    assert not begun.exists()
    assert late.keys() == {"preview", "thumbnail"}
    assert (early == late) == need_overviews_only(grid)
