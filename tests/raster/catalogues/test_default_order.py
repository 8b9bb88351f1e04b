"""Providers over the catalogues that are known, which stand on this machine here: order, tokens and access."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from processing.raster.catalogues.catalogue import (
    CDSE,
    EARTH_SEARCH,
    LANDSATLOOK,
    PLANETARY_COMPUTER,
    Catalogue,
)
from processing.raster.catalogues.providers import Provider
from processing.raster.catalogues.providers.landsat import Landsat
from processing.raster.catalogues.providers.sentinel_2 import Sentinel2
from processing.raster.errors import ProviderUnavailable, SceneNotFound
from processing.raster.types import Catalogues, Network, RemoteFile, S3Access, S3File, Scene, SceneId
from tests.raster.support.served_catalogues import Item, catalogues, closed_root, hrefs_replaced, stored_item

OLI, OLI_SHORT = "LC09_L2SP_010065_20220129_20220131_02_T1", "LC09_L2SP_010065_20220129_02_T1"
VVN = "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531"
CDSE_PRODUCT = "S2B_MSIL2A_20200322T074609_N0500_R135_T36NYH_20230612T214223"
AWS = S3Access(access_key="AKREADER", secret_key="of-the-reader", requester_pays=True)
AT_CDSE = S3Access(access_key="AKREADER", secret_key="of-the-reader", endpoint="eodata.dataspace.copernicus.eu")


def find(provider: type[Provider], name: str, at: Mapping[str, Catalogue], s3: S3Access | None = None) -> Scene:
    """The scene that the provider finds, if the known catalogues have these roots, in this order."""

    class Here(provider):  # type: ignore[valid-type,misc]
        default_roots = tuple(at)

        def catalogue_at(self, root: str) -> Catalogue:
            return replace(at[root], root=root)

    network = Network(private_hosts=frozenset({"127.0.0.1"}), s3=s3)
    found: Scene = Here().find(SceneId(provider=provider.name, original_id=name), Catalogues(), network)
    return found


@pytest.fixture
def look(shared_data: Path) -> Item:
    """The same scene at LandsatLook: another id, and files in a bucket or behind a login."""
    item = stored_item(shared_data, "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR")
    return {**hrefs_replaced(item, item["id"].removesuffix("_SR"), OLI), "id": f"{OLI}_SR"}


@pytest.fixture
def signed(shared_data: Path) -> Item:
    item = stored_item(shared_data, f"stactools-landsat_c2l2_pc-shape_{OLI_SHORT}")
    return hrefs_replaced(item, "files.example", "landsateuwest.blob.core.windows.net")


def test_landsat_without_access_to_buckets_is_read_from_planetary_computer(
    tmp_path: Path, look: Item, signed: Item
) -> None:
    with catalogues(tmp_path, ("landsat-c2l2-sr", [look]), ("landsat-c2-l2", [signed])) as (first, second):
        at = {first: LANDSATLOOK, second: PLANETARY_COMPUTER}
        free, paid = find(Landsat, OLI, at), find(Landsat, OLI, at, AWS)
    assert free.catalogue in second
    red = free.sources["red"]
    assert isinstance(red, RemoteFile)
    assert red.token_url == f"{PLANETARY_COMPUTER.token_root}/landsat-c2-l2"
    assert paid.catalogue in first
    assert isinstance(paid.sources["red"], S3File)


def test_landsat_is_shown_if_only_a_catalogue_has_it_whose_files_need_access(tmp_path: Path, look: Item) -> None:
    with catalogues(tmp_path, ("landsat-c2l2-sr", [look]), ("landsat-c2-l2", [])) as (first, second):
        scene = find(Landsat, OLI, {first: LANDSATLOOK, second: PLANETARY_COMPUTER})
    assert (scene.item_id, scene.sources) == (look["id"], {})


def test_sentinel_2_is_read_from_planetary_computer_if_earth_search_is_down(tmp_path: Path, shared_data: Path) -> None:
    item = stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")
    with catalogues(tmp_path, ("sentinel-2-l2a", [item])) as (root,):
        scene = find(Sentinel2, VVN, {closed_root(): EARTH_SEARCH, root: PLANETARY_COMPUTER})
    red = scene.sources["B04"]
    assert isinstance(red, RemoteFile)
    assert red.token_url == f"{PLANETARY_COMPUTER.token_root}/sentinel-2-l2a"


def test_sentinel_2_is_read_from_cdse_with_access_to_its_bucket(tmp_path: Path, shared_data: Path) -> None:
    item = stored_item(shared_data, "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500")
    with catalogues(tmp_path, ("sentinel-2-l2a", []), ("sentinel-2-l2a", [item])) as (empty, root):
        scene = find(Sentinel2, CDSE_PRODUCT, {empty: EARTH_SEARCH, root: CDSE}, AT_CDSE)
    assert scene.catalogue in root
    assert isinstance(scene.sources["B04_10m"], S3File)


@pytest.mark.parametrize("s3", [None, AWS])
def test_cdse_is_no_loss_if_its_files_could_not_be_read(tmp_path: Path, s3: S3Access | None) -> None:
    with catalogues(tmp_path, ("sentinel-2-l2a", [])) as (empty,), pytest.raises(SceneNotFound):
        find(Sentinel2, CDSE_PRODUCT, {closed_root(): CDSE, empty: EARTH_SEARCH}, s3)


def test_cdse_is_a_loss_if_its_files_could_be_read(tmp_path: Path) -> None:
    with catalogues(tmp_path, ("sentinel-2-l2a", [])) as (empty,), pytest.raises(ProviderUnavailable):
        find(Sentinel2, CDSE_PRODUCT, {closed_root(): CDSE, empty: EARTH_SEARCH}, AT_CDSE)
