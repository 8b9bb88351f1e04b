"""Items with a field of the wrong type: a scene or a named error, never an error without a name."""

import json
from contextlib import suppress
from typing import Any

import pytest

from processing.raster.errors import RasterError, SceneNotFound
from processing.raster.items import scene_item
from processing.raster.radiometry.bands import reflectance_assets, resolve_band, resolve_mask
from tests.raster.catalogues.stac.answers import ITEM, ITEM_ID, NAMES, PRODUCT, PROPERTIES, page_of, sentinel_2
from tests.raster.support.misbehaving import AnyServer

pytestmark = pytest.mark.usefixtures("naps")


def with_asset(**asset: Any) -> dict[str, Any]:
    return {**ITEM, "assets": {"red": {"href": "https://files.example/B04.tif", **asset}}}


def with_properties(**properties: Any) -> dict[str, Any]:
    return {**ITEM, "properties": {**PROPERTIES, **properties}}


HALF_WRONG = {
    "alternate null": with_asset(alternate=None),
    "alternate listed": with_asset(alternate=[{"href": "s3://bucket/key.tif"}]),
    "alternate null in it": with_asset(alternate={"s3": None}),
    "alternate text": with_asset(alternate={"s3": "s3://bucket/key.tif"}),
    "alternate href number": with_asset(alternate={"s3": {"href": 5}}),
    "href number": with_asset(href=5),
    "href null": with_asset(href=None),
    "href list": with_asset(href=["https://files.example/B04.tif"]),
    "type number": with_asset(type=5),
    "roles text": with_asset(roles="data"),
    "roles number": with_asset(roles=1),
    "roles nested": with_asset(roles=[["data"]]),
    "raster:bands number": with_asset(**{"raster:bands": 1}),
    "eo:bands text": with_asset(**{"eo:bands": "red"}),
    "bands object": with_asset(bands={"name": "red"}),
    "nodata text": with_asset(nodata="none"),
    "nodata null": with_asset(nodata=None),
    "nodata list": with_asset(nodata=[0]),
    "scale text": with_asset(**{"raster:scale": "small"}),
    "offset object": with_asset(**{"raster:offset": {}}),
    "proj:code list": with_asset(**{"proj:code": []}),
    "product number": with_properties(**{"s2:product_uri": 5}),
    "platform null": with_properties(platform=None),
    "platform list": with_properties(platform=["sentinel-2a"]),
    "baseline number": with_properties(**{"s2:processing_baseline": 5.09}),
    "baseline list": with_properties(**{"s2:processing_baseline": []}),
    "datetime number": with_properties(datetime=5),
    "datetime text": with_properties(datetime="yesterday"),
    "datetime null": with_properties(datetime=None),
    "collection list": {**ITEM, "collection": []},
    "geometry text": {**ITEM, "geometry": "everywhere"},
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("kind", sorted(HALF_WRONG))
def test_item_with_a_wrong_field_raises_no_error_without_a_name(kind: str, name: str) -> None:
    with AnyServer(page_of(HALF_WRONG[kind])) as server, suppress(RasterError):
        scene = sentinel_2(server, name)
        assert set(reflectance_assets(scene)) <= {"red"}
        resolve_mask(scene)
        json.dumps(scene_item(scene), allow_nan=False)
        assert scene.datetime is None or scene.datetime.tzinfo is not None
        resolve_band(scene, "red")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    "asset",
    [{}, {"href": 5}, {"href": None}, {"alternate": None}, {"alternate": {"https": None}}, {"href": "/etc/passwd"}],
    ids=json.dumps,
)
def test_asset_without_a_good_href_is_no_source(asset: dict[str, Any], name: str) -> None:
    with AnyServer(page_of({**ITEM, "assets": {"red": asset}})) as server:
        assert sentinel_2(server, name).sources == {}


@pytest.mark.parametrize("name", [PRODUCT, ITEM_ID])
def test_item_that_was_not_asked_for_is_not_taken(name: str) -> None:
    """Some servers ignore `ids`, and answer with whatever they have."""
    other = {
        **with_properties(**{"s2:product_uri": PRODUCT.replace("T32TPS", "T33TUN")}),
        "id": "S2A_33TUN_20230602_0_L2A",
    }
    with AnyServer(page_of(other)) as server, pytest.raises(SceneNotFound):
        sentinel_2(server, name)
    with AnyServer(page_of(other, ITEM)) as server:
        assert sentinel_2(server, name).item["id"] == ITEM_ID
