"""Jobs over files that need a token: a new one in time, and no token in anything that a job shows or keeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster import windows
from processing.raster.errors import ProviderUnavailable, SceneUnreadable
from processing.raster.operations.ndvi import NdviParams
from processing.raster.pipeline import run
from processing.raster.types import PixelArray, Product, RasterJob, RemoteFile, SceneId
from tests.raster.files.hosts import PIXELS, ask, config_of, read_pixels, shown
from tests.raster.files.tokens import FAR_AWAY, SECRET, Clock, TokenStore, token
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import LOGIN_PAGE, Answer, AnyServer, as_json, content, redirect, status
from tests.raster.support.rasters import float_ndvi, grid, read_tif, write_tif

pytestmark = pytest.mark.usefixtures("hurried")

NAME = "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531"


def planetary_item(files: str) -> dict[str, Any]:
    properties = {
        "datetime": "2019-06-29T21:25:29Z",
        "platform": "Sentinel-2B",
        "s2:processing_baseline": "02.12",
        "s2:product_uri": NAME.replace("_R043", "_N0212_R043") + ".SAFE",
    }
    assets = {"B04": {"href": f"{files}/red.tif"}, "B08": {"href": f"{files}/nir.tif"}}
    return {"type": "Feature", "id": NAME, "properties": properties, "assets": assets}


def run_planetary(store: TokenStore, directory: Path, tick: Callable[[float], None] = lambda share: None) -> Product:
    """NDVI over the store's red.tif and nir.tif, as at Planetary Computer."""
    with AnyServer(as_json({"features": [planetary_item(store.url)], "links": []})) as catalogue:
        config = config_for(
            private_hosts=frozenset({store.host, catalogue.host}),
            roots={"planetary-computer": [catalogue.url]},
            token_root=f"{store.url}/token",
        )
        scene_id = SceneId(provider="planetary-computer", original_id=NAME)
        job = RasterJob(operation="ndvi", scene_ids=(scene_id,), params=NdviParams())
        return run(job, directory, tick, config)


def random_dn(rows: int, columns: int, seed: int) -> PixelArray:
    return np.random.default_rng(seed).integers(1, 10_000, (rows, columns), dtype=np.uint16)


@pytest.mark.parametrize("metres", [10, 20])
def test_job_that_outlives_its_token_goes_on_with_a_new_one(
    store: TokenStore, clock: Clock, tmp_path: Path, metres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time passes with every window of 1024 x 1024, so tokens end while later windows are still to be read."""
    store.life = 300
    monkeypatch.setattr(windows, "_FETCHERS", 1)
    tiles: dict[str, Any] = {"tiled": True, "blockxsize": 256, "blockysize": 256, "nodata": 0}
    red, nir = random_dn(9216, 1024, 1), random_dn(9216 * 10 // metres, 1024 * 10 // metres, 2)
    if metres != 10:
        nir[:] = 5000  # the same however it is resampled
    write_tif(store.folder / "red.tif", red, **tiles)
    write_tif(store.folder / "nir.tif", nir, grid(nir.shape[1], nir.shape[0], metres), **tiles)

    def a_while_passes(share: float) -> None:
        clock.now += 50

    product = run_planetary(store, tmp_path, a_while_passes)
    wanted = np.full_like(red, 5000) if metres != 10 else nir
    expected = float_ndvi(red * 1e-4, wanted * 1e-4, np.ones(red.shape, bool))
    np.testing.assert_allclose(read_tif(product.path), expected, rtol=0, atol=1e-6)
    assert len(store.ends) >= 2
    assert store.refused == 0


@pytest.fixture
def small_store(store: TokenStore) -> TokenStore:
    for name in ("red.tif", "nir.tif"):
        write_tif(store.folder / name, PIXELS)
    return store


def test_job_shorter_than_its_token_asks_for_one(small_store: TokenStore, tmp_path: Path) -> None:
    run_planetary(small_store, tmp_path)
    assert len(small_store.ends) == 1


def test_token_is_in_no_product_and_in_no_log(
    small_store: TokenStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    product = run_planetary(small_store, tmp_path)
    assert len(small_store.ends) == 1
    assert SECRET not in repr(product)
    assert SECRET.encode() not in product.path.read_bytes()
    with rasterio.open(product.path) as file:
        assert SECRET not in repr([file.tags(), file.tags(1), file.descriptions])
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


BAD_STORES: dict[str, Answer] = {
    "401": status(401),
    "404": status(404),
    "503": status(503),
    "login page": content(LOGIN_PAGE, headers={"Content-Type": "text/html"}),
    "garbage": content(b"certainly no TIFF" * 1000),
    "nothing": content(b""),
    "a TIFF that ends": content(b"II*\0\x08\0\0\0", 200),
    "cut": content(b"II*\0", 206, cut=10_000),
    "circle": redirect(f"/again.tif?sig={SECRET}"),
    "forbidden host": redirect(f"https://169.254.169.254/red.tif?sig={SECRET}"),
    "no host": redirect(f"http://[::1/red.tif?sig={SECRET}"),
    "other scheme": redirect(f"ftp://127.0.0.1/red.tif?sig={SECRET}"),
}


@pytest.mark.parametrize("kind", sorted(BAD_STORES))
def test_token_is_in_no_error(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    refused = pytest.raises((SceneUnreadable, ProviderUnavailable))
    with AnyServer(BAD_STORES[kind]) as server, AnyServer(token(FAR_AWAY)) as tokens, refused as error:
        read_pixels(RemoteFile(url=f"{server.url}/red.tif", token_url=tokens.url), config_of(server, tokens))
    assert SECRET in server.asked[0][1]
    assert SECRET not in shown(error.value)
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


@pytest.mark.parametrize(
    "href", ["http://[::1/red.tif", "http://127.0.0.1:99999/red.tif", "http://u:p@127.0.0.1/a.tif"]
)
def test_token_is_in_no_error_about_a_malformed_href(href: str) -> None:
    with AnyServer(token(FAR_AWAY)) as tokens, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=href, token_url=tokens.url), config_of(tokens))
    assert SECRET not in shown(error.value)
