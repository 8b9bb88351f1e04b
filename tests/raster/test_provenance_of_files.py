"""What a result says about the files that it was made of, in the answer and in the file, without any secret."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster import pipeline
from processing.raster.operations import get_operation
from processing.raster.provenance import public_href
from processing.raster.types import Config, Product, RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import AnyServer, as_json, content
from tests.raster.support.pairs import AFTER, Layer, Shot, compare, serve_shots, square, to_dn, write_shots
from tests.servers import RangeServer, StacServer

SECRETS = ("SECRETQUERY", "SECRETTOKEN", "SECRETLINK")
PRODUCT = "S2B_MSIL2A_20240715T184929_N0511_R070_T10SEG_20240715T224157"
ITEM = "S2B_MSIL2A_20240715T184929_R070_T10SEG_20240715T224157"
ETAG = '"5f3c-11"'


class Store:
    """A host that serves its folder whole, with an ETag, to whoever brings a token."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        name, _, query = handler.path.partition("?")
        if name == "/sas/sentinel-2-l2a":
            as_json({"token": "sig=SECRETTOKEN&se=x", "msft:expiry": "2090-01-01T00:00:00Z"})(handler)
        elif "SECRETTOKEN" in query and "SECRETQUERY" in query:
            content((self.folder / name[1:]).read_bytes(), headers={"ETag": ETAG})(handler)
        else:
            content(b"", status=403)(handler)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Store, AnyServer]]:
    answer = Store(tmp_path / "store")
    with AnyServer(answer) as server:
        yield answer, server


def layers(**more: Layer) -> dict[str, Layer]:
    grid = square(40, 30)
    bands = {"red": np.full(grid.shape, 0.05), "nir": np.full(grid.shape, 0.3)}
    return {**{name: Layer(dn=to_dn(values), grid=grid) for name, values in bands.items()}, **more}


def scl(metres: float = 20.0) -> Layer:
    grid = square(20, 15, metres)
    return Layer(dn=np.full(grid.shape, 4, np.uint8), grid=grid)


@pytest.fixture
def signed(tmp_path: Path, store: tuple[Store, AnyServer], stac_server: StacServer) -> Product:
    """A scene of Planetary Computer, whose hrefs have a query of their own besides the token."""
    config = serve_signed(tmp_path, *store, stac_server)
    operation = get_operation("ndvi")
    job = RasterJob(
        operation="ndvi",
        scene_ids=(SceneId(provider="planetary-computer", original_id=ITEM),),
        params=operation.params_model(cloud_mask=True),
    )
    (tmp_path / "out").mkdir()
    return pipeline.run(job, tmp_path / "out", lambda share: None, config)


def serve_signed(tmp_path: Path, store: Store, server: AnyServer, stac: StacServer) -> Config:
    write_shots(tmp_path / "scenes", Shot(layers=layers(scl=scl()), name=PRODUCT))
    (folder,) = (tmp_path / "scenes").glob(f"**/{PRODUCT}")
    item = json.loads((folder / "item.json").read_text())
    for key, asset in item["assets"].items():
        (store.folder / f"{key}.tif").write_bytes((folder / f"{key}.tif").read_bytes())
        asset["href"] = f"{server.url}/{key}.tif?sv=1&key=SECRETQUERY"
    item["id"] = ITEM
    item["links"] = [{"rel": "self", "href": f"{server.url}/items/{ITEM}?token=SECRETLINK"}]
    item["properties"] |= {"sat:relative_orbit": 70, "view:sun_elevation": 64.5, "view:sun_azimuth": 140.25}
    root = stac.serve("sentinel-2-l2a", [item])
    hosts = frozenset({stac.host, server.host})
    roots = {"planetary-computer": (root,)}
    return config_for(roots=roots, private_hosts=hosts, token_root=f"{server.url}/sas", version="7.8.9")


def test_scene_is_named_as_the_catalogue_has_it(signed: Product) -> None:
    (found,) = signed.provenance["scenes"]
    assert found["collection"] == "sentinel-2-l2a"
    assert found["product"] == PRODUCT
    assert found["relative_orbit"] == 70
    assert (found["sun_elevation"], found["sun_azimuth"]) == (64.5, 140.25)
    assert found["mask"] == "scl"
    assert {"value": 9, "name": "cloud, high probability"} in found["masked_classes"]


def test_files_are_named_by_host_path_and_version(signed: Product, store: tuple[Store, AnyServer]) -> None:
    (found,) = signed.provenance["scenes"]
    for name in ("red", "nir"):
        assert found["bands"][name]["href"] == f"{store[1].url}/{name}.tif"
        assert found["bands"][name]["etag"] == ETAG
        assert found["bands"][name]["resampling"] == "aligned"
    assert found["mask_file"] == {"href": f"{store[1].url}/scl.tif", "etag": ETAG, "resampling": "nearest"}


def test_no_secret_is_in_the_answer_nor_in_the_file(signed: Product, store: tuple[Store, AnyServer]) -> None:
    asked = " ".join(path for _, path, _ in store[1].asked)
    assert "SECRETTOKEN" in asked
    assert "SECRETQUERY" in asked
    for secret in SECRETS:
        assert secret not in json.dumps(signed.provenance)
        assert secret.encode() not in signed.path.read_bytes()


def test_file_holds_the_same_provenance(signed: Product) -> None:
    with rasterio.open(signed.path) as file:
        tags = file.tags()
    assert json.loads(tags["ASTRA_PROVENANCE"]) == signed.provenance["scenes"]
    assert json.loads(tags["ASTRA_VERSIONS"]) == signed.provenance["versions"]
    assert signed.provenance["versions"] == {
        "astra": "7.8.9",
        "gdal": rasterio.__gdal_version__,
        "rasterio": rasterio.__version__,
        "numpy": np.__version__,
    }


def test_what_is_unknown_is_null(tmp_path: Path) -> None:
    """A sandbox has no hosts, no sun and no versions of files; paths of this machine are not shown."""
    shots = Shot(layers=layers()), Shot(layers=layers(), name=AFTER)
    product = compare(write_shots(tmp_path / "scenes", *shots), tmp_path / "out", cloud_mask=False).product
    for found in product.provenance["scenes"]:
        assert {found["bands"][name][field] for name in ("red", "nir") for field in ("href", "etag")} == {None}
        assert {found[name] for name in ("sun_elevation", "sun_azimuth", "wrs_path_row", "mask", "mask_file")} == {None}
    assert str(tmp_path) not in json.dumps(product.provenance)


def ways(product: Product) -> list[dict[str, Any]]:
    return [
        {name: band["resampling"] for name, band in found["bands"].items()} for found in product.provenance["scenes"]
    ]


def test_resampling_is_named_for_each_band(tmp_path: Path, stac_server: StacServer, range_server: RangeServer) -> None:
    coarse, fine = square(20, 15, 20.0), square(80, 60, 5.0)
    mixed = layers(swir16=Layer(dn=to_dn(np.full(coarse.shape, 0.2)), grid=coarse))
    finer = {
        "red": Layer(dn=to_dn(np.full(fine.shape, 0.05)), grid=fine),
        "nir": layers()["nir"],
        "swir16": mixed["swir16"],
    }
    config = serve_shots(stac_server, range_server, Shot(layers=mixed), Shot(layers=finer, name=AFTER))
    bands = ["red", "nir", "swir16"]
    product = compare(config, tmp_path / "out", bands=bands, cloud_mask=False).product
    assert ways(product) == [
        {"red": "aligned", "nir": "aligned", "swir16": "bilinear"},
        {"red": "average", "nir": "aligned", "swir16": "bilinear"},
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://files.example/a/b.tif?sig=1&se=2#x", "https://files.example/a/b.tif"),
        ("https://user:password@files.example:8443/a.tif", "https://files.example:8443/a.tif"),
        ("https://[2001:db8::1]/a.tif?x", "https://[2001:db8::1]/a.tif"),
        ("s3://bucket/key/item.json", "s3://bucket/key/item.json"),
        ("file:///etc/passwd", None),
        ("./item.json", None),
        ("http://[bad/x.tif", None),
        ("https://host:port/x.tif", None),
        ("data:text/plain,hello", None),
        ("", None),
    ],
)
def test_href_is_scheme_host_and_path(url: str, shown: str | None) -> None:
    assert public_href(url) == shown
