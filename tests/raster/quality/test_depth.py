"""`quality` is read beside the bands: a job that masks nothing waits for at most one more answer because of it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio.shutil

from tests.raster.support.pairs import AFTER, BEFORE, Layer, Shot, compare, ndvi, serve_shots, square
from tests.servers import RangeServer, StacServer

# Seconds to the server and back: more than a busy machine takes to begin requests that are made at once.
FAR = 0.5
ON, MASK = square(2048, 2048), square(1024, 1024, 20.0)
# About the middle of the scene: few blocks of each file.
SMALL = [-122.4500, 37.6900, -122.4300, 37.7050]


def scene(name: str, *, mask: bool) -> Shot:
    """Noise, so that no file is so small that its head holds any of its pixels."""
    random = np.random.default_rng(int(name[11:15]))
    layers = {
        band: Layer(dn=random.integers(1500, 5000, ON.shape).astype(np.uint16), grid=ON) for band in ("red", "nir")
    }
    if mask:
        layers["scl"] = Layer(dn=random.choice([4, 5, 8, 9], MASK.shape).astype(np.uint8), grid=MASK)
    return Shot(layers=layers, name=name)


def as_cogs(folder: Path) -> None:
    for path in list(folder.rglob("*.tif")):
        plain = path.rename(path.with_suffix(".plain"))
        rasterio.shutil.copy(
            plain, path, driver="COG", blocksize=512, compress="DEFLATE", overview_resampling="nearest"
        )


def depth_of(directory: Path, *, mask: bool, pair: bool) -> tuple[int, list[float | None]]:
    """Requests one after another that an unmasked job makes for its files, and what it says of clear pixels."""
    with StacServer(directory / "stac") as stac, RangeServer(directory / "files") as files:
        config = serve_shots(stac, files, scene(BEFORE, mask=mask), scene(AFTER, mask=mask))
        as_cogs(files.folder)
        files.delay = FAR
        made = (compare if pair else ndvi)(config, directory / "out", cloud_mask=False, aoi=SMALL)
        return files.depth, [each["clear_percent"] for each in made.product.quality["scenes"]]


@pytest.mark.parametrize("pair", [False, True], ids=["ndvi", "change"])
def test_clear_percent_costs_an_unmasked_job_one_request_at_most(tmp_path: Path, pair: bool) -> None:
    without, unknown = depth_of(tmp_path / "without", mask=False, pair=pair)
    with_quality, clear = depth_of(tmp_path / "with", mask=True, pair=pair)
    assert set(unknown) == {None}
    assert all(percent == pytest.approx(50, abs=5) for percent in clear)
    assert with_quality <= without + 1
