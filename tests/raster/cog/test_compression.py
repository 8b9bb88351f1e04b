"""Results are compressed as the settings say, and hold the same pixels either way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tifffile import TiffFile

from processing.raster.types import Compression, Config
from tests.raster.support.cogs import is_valid
from tests.raster.support.pairs import AFTER, Result, compare, ndvi, shot, square, write_shots
from tests.raster.support.tile_decoding import pages_of

# Values of the TIFF tag.
TIFF_CODES: dict[Compression, int] = {"deflate": 8, "zstd": 50000}
JOBS: dict[str, Callable[[Config, Path], Result]] = {
    "ndvi": ndvi,
    "ndvi, compact": lambda config, folder: ndvi(config, folder, precision="compact"),
    "ndvi, colored": lambda config, folder: ndvi(config, folder, colormap="greens"),
    "change": compare,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Two scenes of several windows."""
    random = np.random.default_rng(6)
    before, after = (
        shot({name: random.uniform(0.02, 0.6, (600, 1100)) for name in ("red", "nir")}, square(1100, 600))
        for _ in range(2)
    )
    return write_shots(tmp_path_factory.mktemp("scenes"), before, after.named(AFTER))


def codes_in(result: Result) -> set[int]:
    """The compressions of the levels of a file of several."""
    with TiffFile(result.product.path) as file:
        assert len(file.pages) > 1
        return {int(page.compression) for page in pages_of(file)}


@pytest.mark.parametrize("job", JOBS)
def test_result_is_compressed_as_configured_and_holds_the_same_pixels(config: Config, tmp_path: Path, job: str) -> None:
    results = {name: JOBS[job](replace(config, compression=name), tmp_path / name) for name in TIFF_CODES}
    for name, result in results.items():
        assert codes_in(result) == {TIFF_CODES[name]}
        assert is_valid(result.product.path)
    np.testing.assert_array_equal(results["deflate"].pixels, results["zstd"].pixels)
    assert results["deflate"].statistics == results["zstd"].statistics


def test_deflate_is_the_default(config: Config, tmp_path: Path) -> None:
    assert codes_in(ndvi(config, tmp_path)) == {TIFF_CODES["deflate"]}
