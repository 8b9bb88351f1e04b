"""JPEG 2000 is known by what it is: by href and media type, never by the key of the asset."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from processing.raster.radiometry.assets import is_jpeg_2000
from processing.raster.radiometry.bands import find_asset, resolve_band
from tests.raster.support.items import scene, scene_of
from tests.raster.support.served_catalogues import Item, stored_item

TPS = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@pytest.mark.parametrize(
    ("asset", "expected"),
    [
        ({"href": "s3://sentinel-s2-l2a/tiles/32/T/PS/2023/6/2/0/R10m/B04.jp2", "type": "image/jp2"}, True),
        ({"href": "https://files.example/B04.JP2?token=a.tif", "type": COG}, True),
        ({"href": "https://files.example/B04.j2k"}, True),
        ({"href": "https://files.example/B04.tif?name=B04.jp2", "type": COG}, False),
        ({"href": "https://files.example/B04.TIFF", "type": "image/jp2"}, False),
        ({"href": "https://files.example/files/4711", "type": "image/jp2"}, True),
        ({"href": "https://files.example/files/4711", "type": "image/jpx; application=geo"}, True),
        ({"href": "https://files.example/files/4711", "type": "image/JPM"}, True),
        ({"href": "https://files.example/files/4711", "type": "image/jpeg"}, False),
        ({"href": "https://files.example/files/4711", "type": COG}, False),
        ({"href": "https://[files.example/B04.jp2", "type": "image/jp2"}, True),
        ({"href": None, "type": None}, False),
        ({}, False),
    ],
)
def test_jpeg_2000_is_known_by_its_ending_else_by_its_media_type(asset: dict[str, Any], expected: bool) -> None:
    assert is_jpeg_2000(asset) is expected


@pytest.fixture
def plain_keys(shared_data: Path) -> Item:
    """As 263,066 items of August 2026: JPEG 2000 files under the keys of COGs, with the flag of COGs."""
    item = deepcopy(stored_item(shared_data, TPS))
    assert item["properties"]["earthsearch:boa_offset_applied"] is True
    raw = {key.removesuffix("-jp2"): asset for key, asset in item["assets"].items() if key.endswith("-jp2")}
    for asset in raw.values():
        folder, _, name = asset["href"].rpartition("/")
        asset["href"] = f"{folder}/R10m/{name}"
    return {**item, "assets": raw}


@pytest.mark.parametrize("name", ["red", "nir", "swir16", "B04", "B8A"])
@pytest.mark.parametrize("flag", [True, False, "true", None])
def test_jpeg_2000_under_a_plain_key_is_raw_whatever_the_flag_says(plain_keys: Item, name: str, flag: Any) -> None:
    plain_keys["properties"]["earthsearch:boa_offset_applied"] = flag
    band = resolve_band(scene_of(plain_keys), name)
    assert (band.offset, band.asset.endswith("-jp2")) == (-0.1, False)


def test_cog_is_no_jpeg_2000_whatever_its_key_says() -> None:
    applied: dict[str, Any] = {"s2__processing_baseline": "05.09", "earthsearch__boa_offset_applied": True}
    cog = {"href": "https://files.example/B04.tif", "type": COG}
    assert resolve_band(scene({"red-jp2": cog}, **applied), "red-jp2").offset == 0


def test_cog_is_preferred_under_whatever_keys() -> None:
    named = {"eo:bands": [{"name": "red", "common_name": "red"}]}
    assets = {
        "first": {**named, "href": "https://files.example/B04.jp2", "type": "image/jp2"},
        "second": {**named, "href": "https://files.example/B04.tif", "type": COG},
    }
    assert find_asset(scene(assets), "red") == "second"
    assert find_asset(scene(dict(reversed(assets.items()))), "red") == "second"
