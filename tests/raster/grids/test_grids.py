"""Change detection of scenes whose files lie on different grids, on small rasters whose ground is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster import pipeline
from processing.raster.errors import BandNotFound, NoValidPixels, ScenesDoNotOverlap, SceneUnreadable, Stopped
from processing.raster.gdal import gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.grids.overlay import lay_over
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.reading import SceneReader, SceneWindow, open_scene
from processing.raster.types import Config, Pixels, RasterJob, SceneId
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    NORTH,
    WEST,
    Codes,
    Dense,
    Dn,
    Layer,
    Shot,
    Truth,
    classes_of,
    compare,
    lonlat,
    shot,
    square,
    to_dn,
    to_reflectance,
    write_shots,
)
from tests.raster.support.scenes import found, open_rasters

BANDS = ("red", "nir")


def random_bands(grid: Grid, seed: int, bands: tuple[str, ...] = BANDS) -> dict[str, Dense]:
    random = np.random.default_rng(seed)
    return {band: to_reflectance(random.integers(1001, 7000, grid.shape)) for band in bands}


def read_windows(
    config: Config, bands: tuple[str, ...] = BANDS, *, mask: bool = False
) -> tuple[Grid, list[SceneWindow]]:
    """DN of both scenes, all in one window, and its grid."""
    with gdal_environment(), open_rasters(config) as rasters:
        scenes = [open_scene(found(config, name), bands, rasters, with_mask=mask) for name in (BEFORE, AFTER)]
        overlay = lay_over([opened.grid for opened in scenes])
        window = Window(0, 0, overlay.grid.width, overlay.grid.height)
        readers = [SceneReader.open(opened, overlay, index, rasters) for index, opened in enumerate(scenes)]
        return overlay.grid, [reader.read(window) for reader in readers]


def read_both(config: Config, bands: tuple[str, ...] = BANDS) -> tuple[Grid, list[Pixels]]:
    """What an operation gets of both scenes where nothing is masked."""
    grid, windows = read_windows(config, bands)
    everything, inside = slice(None), np.ones(grid.shape, np.bool_)
    return grid, [
        Pixels(reflectance=read.reflectance(everything), valid=read.valid(everything, inside)) for read in windows
    ]


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (7, 13), (-20, 5), (55, 30), (-3, -40)])
def test_grids_shifted_by_whole_pixels_are_read_exactly(tmp_path: Path, columns: int, rows: int) -> None:
    first, second = square(60, 45), square(60, 45, west=WEST + 10 * columns, north=NORTH - 10 * rows)
    before, after = random_bands(first, 1), random_bands(second, 2)
    config = write_shots(tmp_path / "scenes", shot(before, first), shot(after, second, name=AFTER))
    left, right, top, bottom = max(0, columns), min(60, columns + 60), max(0, rows), min(45, rows + 45)
    grid, pixels = read_both(config)
    assert grid == first.cut(Window(left, top, right - left, bottom - top))
    here = {band: values[top:bottom, left:right] for band, values in before.items()}
    there = {
        band: values[top - rows : bottom - rows, left - columns : right - columns] for band, values in after.items()
    }
    for band in BANDS:
        np.testing.assert_array_equal(pixels[0].reflectance[band], here[band].astype(np.float32))
        np.testing.assert_array_equal(pixels[1].reflectance[band], there[band].astype(np.float32))
    result = compare(config, tmp_path / "out")
    assert result.grid == grid
    np.testing.assert_array_equal(result.pixels, classes_of(here, there))
    assert result.statistics["overlap_percent"] == pytest.approx(100 * grid.width * grid.height / (60 * 45))


def test_scenes_of_other_sizes_share_what_both_show(tmp_path: Path) -> None:
    large, small = square(80, 70), square(20, 30, west=WEST + 300, north=NORTH - 100)
    config = write_shots(
        tmp_path / "scenes", shot(random_bands(large, 1), large), shot(random_bands(small, 2), small, name=AFTER)
    )
    result = compare(config, tmp_path / "out")
    assert result.grid == small
    assert result.statistics["overlap_percent"] == pytest.approx(100)


# Fields of one kind each, as a function of the place on Earth. They are 35 to 45 pixels wide, so that some 5 percent of
# the pixels of a map lie on an edge; `most_percent` bounds how many of all pixels may count as changed for that.
FIELD = 0.004  # degrees, some 350 to 440 m
KINDS = ((0.025, 0.32, 0.14), (0.18, 0.26, 0.34), (0.04, 0.42, 0.19), (0.16, 0.22, 0.23))


def fields(lon: Dense, lat: Dense) -> Codes:
    """Which kind of ground lies there."""
    column, row = np.floor(lon / FIELD).astype(np.int64), np.floor(lat / FIELD).astype(np.int64)
    return ((column * 7 + row * 3 + (column * row) % 5) % len(KINDS)).astype(np.uint8)


def ground(lon: Dense, lat: Dense) -> dict[str, Dense]:
    """Fields with a gentle slope of brightness across them."""
    shade = 1 + 0.05 * np.sin(lon * 1500) * np.cos(lat * 1500)
    kinds = np.array(KINDS)[fields(lon, lat)]
    return {band: kinds[..., index] * shade for index, band in enumerate(("red", "nir", "swir16"))}


def seen(grid: Grid, bands: tuple[str, ...] = BANDS, name: str = BEFORE) -> Shot:
    """The ground as a satellite sees it on that grid: each pixel is the mean of 3 x 3 places in it."""
    places = [(across, down) for across in (1 / 6, 0.5, 5 / 6) for down in (1 / 6, 0.5, 5 / 6)]
    samples = [ground(*lonlat(grid, across, down)) for across, down in places]
    return shot({band: np.mean([sample[band] for sample in samples], axis=0) for band in bands}, grid, name=name)


def near_an_edge(grid: Grid, reach: int) -> Truth:
    """Where another field begins within so many pixels."""
    margin = Window(-reach, -reach, grid.width + 2 * reach, grid.height + 2 * reach)
    kinds = fields(*lonlat(grid.cut(margin)))
    around = np.lib.stride_tricks.sliding_window_view(kinds, (2 * reach + 1, 2 * reach + 1))
    edges: Truth = around.min(axis=(2, 3)) != around.max(axis=(2, 3))
    return edges


def changed_share(directory: Path, before: Grid, after: Grid, reach: int = 2) -> float:
    """Percent of the valid pixels that count as changed; fails where one of them lies inside of a field.

    `reach` is how far, in pixels of the result, the pixels that a result's pixel is made of can reach.
    """
    config = write_shots(directory / "scenes", seen(before), seen(after, name=AFTER))
    result = compare(config, directory / "out")
    changed = ~np.isin(result.pixels, (0, 255))
    inside = ~near_an_edge(result.grid, reach)
    assert inside.mean() > 0.4
    assert not (changed & inside).any()
    assert result.statistics["valid_percent"] > 90
    return float(100 * changed.sum() / (result.pixels != 255).sum())


# Around 120 degrees west, where zone 10 meets zone 11.
ZONE_10, ZONE_11 = (
    square(280, 260, epsg=32610, west=760_000, north=4_210_000),
    square(280, 260, epsg=32611, west=232_700, north=4_210_300),
)


@pytest.mark.parametrize(
    ("before", "after", "most_percent"),
    [
        pytest.param(ZONE_10, ZONE_11, 2.5, id="zone 10 and zone 11"),
        pytest.param(ZONE_11, ZONE_10, 2.5, id="zone 11 and zone 10"),
        pytest.param(square(260, 250), square(260, 250, west=WEST + 5, north=NORTH - 5), 4, id="half a pixel"),
        pytest.param(square(260, 250), square(260, 250, west=WEST + 5), 3, id="half a pixel aside"),
    ],
)
def test_same_ground_on_another_grid_is_no_change_but_at_edges(
    tmp_path: Path, before: Grid, after: Grid, most_percent: float
) -> None:
    assert changed_share(tmp_path, before, after) < most_percent


def turned(degrees: float, width: int, height: int, metres: float) -> Grid:
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(degrees) @ Affine.scale(metres, -metres)
    return replace(square(width, height), transform=transform)


def around(grid: Grid, metres: float, margin: float = 300) -> Grid:
    """A straight grid of such pixels that holds all of `grid`."""
    corners = [grid.transform @ (x, y) for x in (0, grid.width) for y in (0, grid.height)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    west, north = min(xs) - margin - 3.3, max(ys) + margin + 1.7
    width, height = (max(xs) - min(xs) + 2 * margin) / metres, (max(ys) - min(ys) + 2 * margin) / metres
    return square(int(width), int(height), metres, west=west, north=north)


@pytest.mark.parametrize(
    ("before", "after", "most_percent"),
    [
        pytest.param(square(90, 80, 30), around(square(90, 80, 30), 10), 3, id="30 m and 10 m"),
        pytest.param(around(square(90, 80, 30), 10), square(90, 80, 30), 3, id="10 m and 30 m"),
        pytest.param(turned(15, 250, 200, 12), around(turned(15, 250, 200, 12), 10), 3, id="turned by 15 degrees"),
        pytest.param(
            replace(square(200, 300), transform=Affine(16, 0, WEST, 0, -9, NORTH)),
            around(replace(square(200, 300), transform=Affine(16, 0, WEST, 0, -9, NORTH)), 10),
            4,
            id="oblong pixels",
        ),
        pytest.param(
            replace(square(200, 300), transform=Affine(12, 0, WEST, 0, 12, NORTH)),
            around(replace(square(200, 300), transform=Affine(12, 0, WEST, 0, 12, NORTH)), 10),
            3,
            id="south up",
        ),
    ],
)
def test_same_ground_at_another_resolution_is_no_change_but_at_edges(
    tmp_path: Path, before: Grid, after: Grid, most_percent: float
) -> None:
    coarse = max(before, after, key=lambda grid: grid.gsd)
    share = changed_share(tmp_path, before, after)
    assert share < most_percent
    with rasterio.open(tmp_path / "out" / "change_detection_output.tif") as file:
        assert Grid.of(file) == coarse


@pytest.mark.parametrize(("first", "second"), [(179.9, -180.1), (-180.1, 179.9)])
def test_degrees_on_either_side_of_the_antimeridian(tmp_path: Path, first: float, second: float) -> None:
    def degrees(west: float) -> Grid:
        return Grid(crs=CRS.from_epsg(4326), transform=Affine(0.001, 0, west, 0, -0.001, 1), width=200, height=90)

    before, after = random_bands(degrees(first), 1), random_bands(degrees(second), 2)
    config = write_shots(tmp_path / "scenes", shot(before, degrees(first)), shot(after, degrees(second), name=AFTER))
    result = compare(config, tmp_path / "out")
    assert result.grid == degrees(first)
    np.testing.assert_array_equal(result.pixels, classes_of(before, after))


def test_scenes_of_two_zones_across_the_antimeridian(tmp_path: Path) -> None:
    east = square(400, 300, 30, epsg=32601, west=161_000, north=500_000)
    west = square(400, 300, 30, epsg=32660, west=827_000, north=500_000)
    assert changed_share(tmp_path, east, west) < 7
    lon, _ = lonlat(east)
    assert (lon > 179).any()
    assert (lon < -179).any()


def test_average_of_all_pixels_where_a_scene_is_shrunk(tmp_path: Path) -> None:
    coarse, fine = square(20, 15, 30), square(60, 45, 10)
    before, after = random_bands(coarse, 1), random_bands(fine, 2)
    config = write_shots(tmp_path / "scenes", shot(before, coarse), shot(after, fine, name=AFTER))
    grid, (_, pixels) = read_both(config)
    assert grid == coarse
    for band in BANDS:
        means = after[band].reshape(15, 3, 20, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(pixels.reflectance[band], means, atol=1e-6)


def test_coarser_band_of_a_scene_comes_to_its_grid(tmp_path: Path) -> None:
    """20 m swir16: pixels of 10 m lie a quarter of it before and behind its centres."""
    fine, coarse = square(80, 60), square(40, 30, 20)
    ramp = 0.1 + 0.01 * np.tile(np.arange(40.0), (30, 1))
    layers = dict(shot(random_bands(fine, 1), fine).layers)
    layers["swir16"] = Layer(dn=to_dn(ramp), grid=coarse)
    scene = Shot(layers=layers)
    config = write_shots(tmp_path / "scenes", scene, scene.named(AFTER))
    grid, (pixels, _) = read_both(config, ("red", "swir16"))
    assert grid == fine
    expected = np.tile(0.1 + 0.01 * (np.arange(80) / 2 - 0.25), (60, 1))
    np.testing.assert_allclose(pixels.reflectance["swir16"][:, 1:-1], expected[:, 1:-1], atol=2e-6)
    np.testing.assert_array_equal(pixels.reflectance["red"], to_reflectance(layers["red"].dn).astype(np.float32))


def test_the_red_band_tells_the_resolution_though_it_is_not_asked_for(tmp_path: Path) -> None:
    fine, coarse = square(80, 60), square(40, 30, 20)
    layers = {
        **{band: Layer(dn=to_dn(v), grid=fine) for band, v in random_bands(fine, 1, ("red",)).items()},
        **{band: Layer(dn=to_dn(v), grid=coarse) for band, v in random_bands(coarse, 2, ("nir08", "swir16")).items()},
    }
    scene = Shot(layers=layers)
    config = write_shots(tmp_path / "scenes", scene, scene.named(AFTER))
    assert compare(config, tmp_path / "out", bands=["nir08", "swir16"]).grid == fine


# Nodata, saturation and masks.


def chequered(grid: Grid, low: int, high: int, seed: int, side: int = 3) -> Dn:
    """Every other square of `side` x `side` pixels is nodata, the rest are extreme numbers."""
    rows, columns = np.indices(grid.shape) // side
    numbers = np.random.default_rng(seed).choice([low, high], grid.shape)
    return np.where((rows + columns) % 2 == 0, 0, numbers).astype(np.uint16)


OTHER_GRIDS = {
    "half a pixel": square(90, 80, west=WEST + 5, north=NORTH - 5),
    "a tenth of a pixel": square(90, 80, west=WEST + 1, north=NORTH - 1),
    "30 m": square(30, 26, 30),
    "13 m": square(69, 61, 13),
    "turned": turned(15, 60, 60, 10),
    "zone 11": square(130, 130, epsg=32611, west=11_600, north=4_194_500),
}


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_nodata_never_bleeds_into_data(tmp_path: Path, name: str) -> None:
    fine, other = square(90, 80), OTHER_GRIDS[name]
    numbers = chequered(fine, 11_000, 60_000, 3)
    whole = Shot(layers={band: Layer(dn=np.full(other.shape, 3000, np.uint16), grid=other) for band in BANDS})
    holed = Shot(layers={band: Layer(dn=numbers, grid=fine) for band in BANDS}, name=AFTER)
    config = write_shots(tmp_path / "scenes", whole, holed)
    _, (_, pixels) = read_both(config)
    got = pixels.reflectance["red"][pixels.valid]
    assert 0.2 < pixels.valid.mean() <= 1
    assert got.min() >= np.float32(1.0) - 1e-6
    assert got.max() <= np.float32(5.9) + 1e-6


@pytest.mark.parametrize("name", ["half a pixel", "30 m", "turned"])
def test_saturated_pixels_never_bleed_into_data(tmp_path: Path, name: str) -> None:
    fine, other = square(90, 80), OTHER_GRIDS[name]
    numbers = chequered(fine, 2000, 3000, 3, side=9)
    numbers[numbers == 0] = 65535
    whole = Shot(layers={band: Layer(dn=np.full(other.shape, 3000, np.uint16), grid=other) for band in BANDS})
    holed = Shot(layers={band: Layer(dn=numbers, grid=fine) for band in BANDS}, name=AFTER)
    _, (_, pixels) = read_both(write_shots(tmp_path / "scenes", whole, holed))
    got = pixels.reflectance["red"][pixels.valid]
    assert got.max() <= np.float32(0.2) + 1e-6


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_masks_are_never_blended(tmp_path: Path, name: str) -> None:
    """Between cloud (9) and nodata (0) lie classes that would be clear: 4, 5, 6."""
    fine, other = square(90, 80), OTHER_GRIDS[name]
    rows, columns = np.indices(fine.shape)
    scl = np.where((rows + columns) % 2 == 0, 9, 0).astype(np.uint8)
    before = shot(random_bands(other, 1), other)
    after = shot(random_bands(fine, 2), fine, scl=scl, name=AFTER)
    _, (_, window) = read_windows(write_shots(tmp_path / "scenes", before, after), mask=True)
    clear = window.clear
    assert clear is not None
    assert not clear[window.valid(slice(None), np.ones(clear.shape, np.bool_))].any()


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_classes_of_a_mask_stay_where_they_are(tmp_path: Path, name: str) -> None:
    """A mask of 20 m on the result's grid says of each pixel what it says of the place of the pixel's centre."""
    fine, coarse, other = square(90, 80), square(45, 40, 20), OTHER_GRIDS[name]
    scl = np.random.default_rng(4).choice(np.array([4, 9], np.uint8), coarse.shape)
    after = shot(random_bands(fine, 2), fine, name=AFTER)
    after = replace(after, layers={**after.layers, "scl": Layer(dn=scl, grid=coarse)})
    config = write_shots(tmp_path / "scenes", shot(random_bands(other, 1), other), after)
    grid, (_, window) = read_windows(config, mask=True)
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    xs, ys = rasterio.warp.transform(grid.crs, coarse.crs, *(grid.transform @ (columns.ravel(), rows.ravel())))
    places = np.stack(~coarse.transform @ (np.array(xs), np.array(ys)))
    sure = (np.abs(places - np.rint(places)).min(axis=0) > 0.02).reshape(grid.shape)
    column, row = np.floor(places).astype(int)
    sure &= ((column >= 0) & (column < 45) & (row >= 0) & (row < 40)).reshape(grid.shape)
    expected = scl[row.clip(0, 39), column.clip(0, 44)].reshape(grid.shape) == 4
    assert sure.sum() > 300
    clear = window.clear
    assert clear is not None
    np.testing.assert_array_equal(clear[sure], expected[sure])


# What cannot be done, and leaves nothing.


def bare(grid: Grid, bands: tuple[str, ...] = BANDS, name: str = BEFORE) -> Shot:
    return shot(random_bands(grid, 1, bands), grid, name=name)


def failing(directory: Path, before: Shot, after: Shot, error: type[Exception], **params: list[str]) -> Exception:
    config = write_shots(directory / "scenes", before, after)
    with pytest.raises(error) as raised:
        compare(config, directory / "out", **params)
    assert list((directory / "out").iterdir()) == []
    return raised.value


@pytest.mark.parametrize(
    "other",
    [
        square(100, 100, west=WEST + 1000),
        square(100, 100, west=WEST + 995),
        square(100, 100, north=NORTH - 5_000_000),
        square(100, 100, epsg=32611),
        square(100, 100, epsg=32733),
    ],
    ids=["side by side", "half a percent", "far south", "another zone", "another half of the Earth"],
)
def test_scenes_that_do_not_overlap(tmp_path: Path, other: Grid) -> None:
    failing(tmp_path, bare(square(100, 100)), bare(other, name=AFTER), ScenesDoNotOverlap)


def test_no_pixel_valid_in_both(tmp_path: Path) -> None:
    grid = square(60, 40)
    first, second = random_bands(grid, 1), random_bands(grid, 2)
    first["red"][:, :30] = np.nan
    second["nir"][:, 30:] = np.nan
    error = failing(tmp_path, shot(first, grid), shot(second, grid, name=AFTER), NoValidPixels)
    assert isinstance(error, NoValidPixels)
    assert error.details["scene_ids"] == [f"sentinel-2:{BEFORE}", f"sentinel-2:{AFTER}"]


@pytest.mark.parametrize("lacking", [BEFORE, AFTER])
def test_a_band_that_one_scene_lacks(tmp_path: Path, lacking: str) -> None:
    grid = square(60, 40)
    shots = [
        bare(grid, ("red", "nir") if name == lacking else ("red", "nir", "swir16"), name) for name in (BEFORE, AFTER)
    ]
    error = failing(tmp_path, shots[0], shots[1], BandNotFound, bands=["red", "nir", "swir16"])
    assert isinstance(error, BandNotFound)
    assert error.details == {"scene_id": f"sentinel-2:{lacking}", "band": "swir16"}
    assert lacking in error.message
    assert "swir16" in error.message


@pytest.mark.parametrize("broken", ["red", "nir", "scl"])
@pytest.mark.parametrize("west", [WEST, WEST + 5], ids=["read as it is", "resampled"])
def test_a_file_that_ends_in_mid_read(tmp_path: Path, broken: str, west: float) -> None:
    grid, other = square(1500, 1300), square(1500, 1300, west=west)
    scl = np.full(grid.shape, 4, np.uint8)
    before = shot(random_bands(grid, 1), grid, scl=scl)
    after = shot(random_bands(other, 2), other, scl=scl, name=AFTER)
    config = write_shots(tmp_path / "scenes", before, after)
    path = next((tmp_path / "scenes").glob(f"*/{AFTER}/{broken}.tif"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    with pytest.raises(SceneUnreadable) as error:
        compare(config, tmp_path / "out")
    assert error.value.details["scene_id"] == f"sentinel-2:{AFTER}"
    assert error.value.details["asset"] == broken
    assert list((tmp_path / "out").iterdir()) == []


def test_work_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    grid = square(1100, 1100)
    config = write_shots(tmp_path / "scenes", bare(grid), bare(grid, name=AFTER))
    ids = tuple(SceneId(provider="sentinel-2", original_id=name) for name in (BEFORE, AFTER))
    request = RasterJob(operation="change_detection", scene_ids=ids, params=ChangeDetectionParams())
    shares: list[float] = []

    def tick(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise Stopped

    (tmp_path / "out").mkdir()
    with pytest.raises(Stopped):
        pipeline.run(request, tmp_path / "out", tick, config)
    assert shares == [0.0, 0.2, 0.4]
    assert list((tmp_path / "out").iterdir()) == []
