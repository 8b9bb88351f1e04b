"""The stored items of seven catalogues, and scenes made of them."""

from pathlib import Path
from typing import Any

from processing.raster.catalogues.sources import sources_of
from processing.raster.types import Config, S3Access, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.served_catalogues import stored_item

CDSE_0500 = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500"
CDSE_0512 = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0512_inconsistent-nodata"
V0 = "earthsearch-v0_s2-cogs_2020_S2A_28QCH_20200714_0_L2A"
C1 = "earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A"
TPS = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"
TWL = "earthsearch-v1_s2-l2a_2023_boa-true_S2B_33TWL_20230820_0_L2A.localhrefs"
RWT = "earthsearch-v1_s2-l2a_2024_boa-true_S2A_12RWT_20240106_0_L2A.localhrefs"
LOOK_OLI = "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR"
LOOK_ETM = "landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR"
PC = "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529"
PC_RASTER = "pc_s2-l2a_pb0212_raster-ext-added-by-odc"
PC_OLI = "stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1"
PC_ETM = "stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1"
STACTOOLS = "stactools-sentinel2_stac11_pb0400_S2B_T33XWJ_20220413T150756_L2A"

WITHOUT_BUCKETS = config_for()
WITH_BUCKETS = config_for(s3=S3Access(access_key="AKREADER", secret_key="of-the-reader"))


def as_scene(item: dict[str, Any], config: Config = WITH_BUCKETS) -> Scene:
    return Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources_of(item, config.network))


def scene_of(shared_data: Path, name: str, config: Config = WITH_BUCKETS) -> Scene:
    return as_scene(stored_item(shared_data, name), config)
