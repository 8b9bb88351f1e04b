"""Pictures of both scenes of a change: on the grid of the result's, in true colours or, without them, in false ones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio

from processing.raster.operations import get_operation
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.pictures.scene_picture import brightness
from processing.raster.pipeline import run
from processing.raster.sandbox.catalogue import PRODUCTS
from processing.raster.types import Band, LocalFile, Product, RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import AnyServer, content
from tests.raster.support.pairs import AFTER, BEFORE, compare, items_of_shots, remote_config, shot, square
from tests.servers import RangeServer, StacServer

BAND = Band(
    scene_id="sentinel-2:X",
    name="red",
    asset="red",
    source=LocalFile(path=Path("B04.tif")),
    scale=1e-4,
    offset=-0.1,
    offset_reason="",
    nodata=0,
)
BOX = [-122.50, 37.66, -122.45, 37.70]


def changed(sandbox: Path, directory: Path, **params: Any) -> Product:
    directory.mkdir(exist_ok=True)
    ids = tuple(SceneId(provider="sentinel-2", original_id=PRODUCTS[date]) for date in ("before", "after"))
    job = RasterJob(operation="change_detection", scene_ids=ids, params=ChangeDetectionParams(**params))
    return run(job, directory, lambda share: None, config_for(sandbox=sandbox))


def rgb(picture: Path) -> npt.NDArray[np.uint8]:
    with rasterio.open(picture) as file:
        colors: npt.NDArray[np.uint8] = file.read()
        return colors


def test_change_has_three_pictures_on_one_grid(sandbox: Path, tmp_path: Path) -> None:
    product = changed(sandbox, tmp_path, aoi=BOX)
    pictures = {name: rgb(path) for name, path in product.pictures.items()}
    assert {name: len(colors) for name, colors in pictures.items()} == {
        "preview": 1,
        "thumbnail": 1,
        "before": 3,
        "after": 3,
    }
    assert len({colors.shape[1:] for name, colors in pictures.items() if name != "thumbnail"}) == 1
    seen = [(pictures[date] > 0).all(axis=0) for date in ("before", "after")]
    assert all(np.mean(shown) > 0.9 for shown in seen)
    assert (pictures["before"] != pictures["after"])[:, seen[0] & seen[1]].mean() > 0.5


def test_scene_without_green_and_blue_is_shown_in_false_colours(
    sandbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = without(sandbox, tmp_path / "sandbox", "green", "blue")
    colors = rgb(changed(poor, tmp_path / "work", aoi=BOX).pictures["before"])
    assert np.array_equal(colors[1], colors[2])  # both red
    assert not np.array_equal(colors[0], colors[1])


def without(sandbox: Path, folder: Path, *assets: str) -> Path:
    """A copy of the sandbox whose items lack these assets. Its rasters are those of the sandbox."""
    for path in sandbox.rglob("*"):
        target = folder / path.relative_to(sandbox)
        if path.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json" and path.name != "catalog.json":
            item = json.loads(path.read_text())
            for name in assets:
                item.get("assets", {}).pop(name, None)
            target.write_text(json.dumps(item))
        else:
            target.hardlink_to(path)
    return folder


def test_picture_that_cannot_be_made_fails_no_job(
    sandbox: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = without(sandbox, tmp_path / "sandbox")
    for name in ("B02.tif", "B03.tif"):
        for path in broken.rglob(name):
            path.unlink()
            path.write_bytes(b"no TIFF")
    product = changed(broken, tmp_path / "work", aoi=BOX)
    assert set(product.pictures) == {"preview", "thumbnail", "before", "after"}  # of red and nir


def test_host_that_fails_is_asked_once_for_a_picture(
    stac_server: StacServer, range_server: RangeServer, tmp_path: Path
) -> None:
    colors = {band: np.full((64, 64), 0.2) for band in ("red", "nir", "green", "blue")}
    shots = [shot(colors, square(64, 64), name=name) for name in (BEFORE, AFTER)]
    with AnyServer(content(b"", 503)) as failing:
        items = items_of_shots(range_server, *shots)
        for item in items:
            item["assets"]["green"]["href"] = f"{failing.url}/green.tif"
        config = remote_config(stac_server, range_server, items)
        reached = replace(config.network, private_hosts=config.network.private_hosts | {failing.host})
        product = compare(replace(config, network=reached), tmp_path / "work").product
        assert len(failing.asked) == 2  # once for each scene
    assert set(product.pictures) == {"preview", "thumbnail", "before", "after"}  # of red and nir


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_brightness_grows_with_reflectance_and_is_0_only_without_data(dtype: str) -> None:
    dn = np.array([[0, 1, 1000, 1100, 2000, 4000, 7000, 20000]], dtype=dtype)
    values = brightness(dn, BAND)[0].astype(int)
    assert values[0] == 0
    assert values[1:].min() >= 1
    assert (np.diff(values) >= 0).all()
    assert values[-1] == 255


def test_operation_of_one_scene_has_a_picture_of_the_result_only() -> None:
    assert get_operation("ndvi").pictures == ("preview", "thumbnail")
    assert get_operation("change_detection").pictures == ("preview", "thumbnail", "before", "after")
