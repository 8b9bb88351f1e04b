"""The real scenes of the shared data, as a catalogue would serve them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers import RangeServer

FOLDER = "mapchete_eo_s2_120m"
SCENES = {
    "S2A_33TWL_20230815_0_L2A": "S2A_MSIL2A_20230815T095031_N0509_R079_T33TWL_20230815T155057",
    "S2A_33TWL_20230818_0_L2A": "S2A_MSIL2A_20230818T100031_N0509_R122_T33TWL_20230818T143300",
    "S2B_33TWL_20230813_0_L2A": "S2B_MSIL2A_20230813T095559_N0509_R122_T33TWL_20230813T130536",
    "S2B_33TWL_20230820_0_L2A": "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817",
    "S2B_33TWM_20230820_0_L2A": "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWM_20230820T124817",
}
LANDSAT = "LC08_L2SP_008059_20191201_20200825_02_T1"
# The names of its assets before LandsatLook renamed them.
_COMMON = {"B2": "blue", "B3": "green", "B4": "red", "B5": "nir08", "B6": "swir16", "B7": "swir22"}


def scene_file(shared_data: Path, item_id: str, name: str) -> Path:
    return shared_data / FOLDER / item_id / name


def real_item(shared_data: Path, item_id: str, files: str) -> dict[str, Any]:
    """The catalogue's item with its hrefs below the URL `files`."""
    item: dict[str, Any] = json.loads(scene_file(shared_data, item_id, f"{item_id}.json").read_text())
    for asset in item["assets"].values():
        asset["href"] = f"{files}/{item_id}/{asset['href'].rpartition('/')[2]}"
    return {**item, "links": []}


def real_items(shared_data: Path, files: str) -> list[dict[str, Any]]:
    return [real_item(shared_data, item_id, files) for item_id in SCENES]


def serve_files(shared_data: Path, server: RangeServer) -> None:
    for item_id in SCENES:
        (server.folder / item_id).symlink_to(shared_data / FOLDER / item_id)


def as_product(item: Mapping[str, Any], item_id: str, product: str) -> dict[str, Any]:
    """The same item as another product of the catalogue."""
    return {**item, "id": item_id, "properties": {**item["properties"], "s2:product_uri": f"{product}.SAFE"}}


def landsat_file(shared_data: Path, ending: str) -> Path:
    return shared_data / "stactools_landsat_c2l2_512px" / "assets3" / f"{LANDSAT}_{ending}"


def landsat_item(shared_data: Path, files: str) -> dict[str, Any]:
    """The real Landsat scene as LandsatLook's items are today, with its hrefs below the URL `files`."""
    old = json.loads(landsat_file(shared_data, "SR_stac.json").read_text())
    folder = f"{files}/{LANDSAT}/{LANDSAT}"
    assets = {
        name: {"href": f"{folder}_SR_{native}.TIF", "eo:bands": [{"name": native, "common_name": name}]}
        for native, name in _COMMON.items()
    }
    return {
        **{name: old[name] for name in ("type", "geometry", "bbox")},
        "stac_version": "1.0.0",
        "id": f"{LANDSAT}_SR",
        "properties": {"datetime": "2019-12-01T15:11:00Z", "platform": "LANDSAT_8"},
        "links": [],
        "assets": {**assets, "qa_pixel": {"href": f"{folder}_QA_PIXEL.TIF", "roles": ["cloud"]}},
    }


def serve_landsat_files(shared_data: Path, server: RangeServer) -> None:
    (server.folder / LANDSAT).symlink_to(landsat_file(shared_data, "SR_B4.TIF").parent)
