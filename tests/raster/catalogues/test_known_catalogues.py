"""What is known of a catalogue by its host: its collections, its tokens, and who can read its files."""

from pathlib import Path

import pytest

from processing.raster.catalogues.catalogue import (
    CDSE,
    EARTH_SEARCH,
    LANDSATLOOK,
    PLANETARY_COMPUTER,
    Catalogue,
    Files,
    catalogue_at,
)
from processing.raster.catalogues.providers import Provider
from processing.raster.catalogues.providers._discovery import all_providers
from processing.raster.catalogues.sources import scene_of
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import Network, RemoteFile, S3Access, S3File, SceneId
from tests.raster.support.served_catalogues import Item, stored_item

AWS = S3Access(access_key="AKREADER", secret_key="of-the-reader", requester_pays=True)
AT_CDSE = S3Access(access_key="AKREADER", secret_key="of-the-reader", endpoint="eodata.dataspace.copernicus.eu")
OWN = S3Access(access_key="AKREADER", secret_key="of-the-reader", endpoint="minio.example:9000")
ANY = SceneId(provider="sentinel-2", original_id="any")


@pytest.mark.parametrize("known", [EARTH_SEARCH, PLANETARY_COMPUTER, LANDSATLOOK, CDSE], ids=lambda one: one.host)
def test_catalogue_is_known_by_its_host_whatever_the_path(known: Catalogue) -> None:
    found = catalogue_at(f"https://{known.host}/another/v2")
    assert found.root == f"https://{known.host}/another/v2"
    assert (found.sentinel_2, found.landsat, found.token_root) == (known.sentinel_2, known.landsat, known.token_root)


def test_catalogue_of_the_operator_may_have_every_collection_and_files_that_all_may_read() -> None:
    found = catalogue_at("https://stac.example/v1")
    assert set(found.sentinel_2.collections) >= {"sentinel-2-c1-l2a", "sentinel-2-l2a"}
    assert set(found.landsat.collections) >= {"landsat-c2l2-sr", "landsat-c2-l2"}
    assert (found.token_root, found.sentinel_2.files, found.landsat.files) == ("", Files.PUBLIC, Files.PUBLIC)


@pytest.mark.parametrize("provider", all_providers().values(), ids=lambda provider: provider.name)
def test_defaults_of_every_provider_are_known_catalogues(provider: Provider) -> None:
    for root in provider.default_roots:
        assert catalogue_at(root) in (EARTH_SEARCH, PLANETARY_COMPUTER, LANDSATLOOK, CDSE)


@pytest.mark.parametrize(
    ("files", "s3", "expected"),
    [
        (Files.PUBLIC, None, True),
        (Files.PUBLIC, AT_CDSE, True),
        (Files.AWS, None, False),
        (Files.AWS, AWS, True),
        (Files.AWS, OWN, True),
        (Files.AWS, AT_CDSE, False),
        (Files.CDSE, None, False),
        (Files.CDSE, AWS, False),
        (Files.CDSE, AT_CDSE, True),
    ],
)
def test_files_can_be_read_with_access_to_their_own_store(files: Files, s3: S3Access | None, expected: bool) -> None:
    assert files.can_be_read(s3) is expected


@pytest.fixture
def tps(shared_data: Path) -> Item:
    return stored_item(shared_data, "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A")


@pytest.mark.parametrize("s3", [AWS, OWN])
def test_jpeg_2000_in_a_bucket_at_aws_is_read_with_access_to_it(tps: Item, s3: S3Access) -> None:
    scene = scene_of(ANY, tps, EARTH_SEARCH, EARTH_SEARCH.sentinel_2, Network(s3=s3))
    assert isinstance(scene.sources["red-jp2"], S3File)
    assert isinstance(scene.sources["red"], RemoteFile)


def test_credentials_of_cdse_go_to_its_own_bucket_only(tps: Item, shared_data: Path) -> None:
    network = Network(s3=AT_CDSE)
    assert "red-jp2" not in scene_of(ANY, tps, EARTH_SEARCH, EARTH_SEARCH.sentinel_2, network).sources
    own = stored_item(shared_data, "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500")
    source = resolve_band(scene_of(ANY, own, CDSE, CDSE.sentinel_2, network), "red").source
    assert isinstance(source, S3File)
    assert source.bucket == "eodata"


def test_urls_of_landsatlook_ask_for_a_login_so_they_are_no_source(shared_data: Path) -> None:
    item = stored_item(shared_data, "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR")
    assert scene_of(ANY, item, LANDSATLOOK, LANDSATLOOK.landsat, Network()).sources == {}
    paid = scene_of(ANY, item, LANDSATLOOK, LANDSATLOOK.landsat, Network(s3=AWS))
    assert isinstance(resolve_band(paid, "red").source, S3File)


def test_files_of_planetary_computer_are_signed_for_whichever_provider_finds_them(shared_data: Path) -> None:
    item = stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")
    scene = scene_of(ANY, item, PLANETARY_COMPUTER, PLANETARY_COMPUTER.sentinel_2, Network())
    source = resolve_band(scene, "red").source
    assert isinstance(source, RemoteFile)
    assert source.token_url == f"{PLANETARY_COMPUTER.token_root}/sentinel-2-l2a"


def test_collection_of_an_item_cannot_lead_a_token_elsewhere(shared_data: Path) -> None:
    item = stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")
    odd = {**item, "collection": "../../other?x=1"}
    scene = scene_of(ANY, odd, PLANETARY_COMPUTER, PLANETARY_COMPUTER.sentinel_2, Network())
    source = resolve_band(scene, "red").source
    assert isinstance(source, RemoteFile)
    assert source.token_url == f"{PLANETARY_COMPUTER.token_root}/..%2F..%2Fother%3Fx%3D1"


@pytest.mark.parametrize(
    "href",
    [
        "https://attacker.example/B04.tif",
        "https://blob.core.windows.net.attacker.example/B04.tif",
        "https://attackerblob.core.windows.net.example/B04.tif",
        "https://a.blob.core.windows.net:99999/B04.tif",
        "https://a.blob.core.windows.net@attacker.example/B04.tif",
        "http://a.blob.core.windows.net/B04.tif",
    ],
)
def test_token_is_never_shown_to_a_host_that_an_item_names(shared_data: Path, href: str) -> None:
    item = stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")
    lured = {**item, "assets": {**item["assets"], "B04": {**item["assets"]["B04"], "href": href}}}
    scene = scene_of(ANY, lured, PLANETARY_COMPUTER, PLANETARY_COMPUTER.sentinel_2, Network())
    source = scene.sources["B04"]
    assert isinstance(source, RemoteFile)
    assert (source.url, source.token_url) == (href, "")
