"""The stored items that are mutated: of every catalogue and product that the engine reads."""

from typing import Any

from tests.raster.catalogues.real_items.stored import (
    C1,
    CDSE_0500,
    CDSE_0512,
    LOOK_ETM,
    LOOK_OLI,
    PC,
    PC_ETM,
    PC_OLI,
    PC_RASTER,
    RWT,
    STACTOOLS,
    TPS,
    TWL,
    V0,
)
from tests.raster.mutations.world import Kind

# Sentinel-2 pixels are plain (offset 0) or shifted (offset -0.1); Landsat's are always shifted.
SHIFTED: dict[str, Any] = {"offset": -0.1}
LANDSAT: dict[str, Any] = {"scale": 2.75e-5, "offset": -0.2, "nir": "nir08"}
VVN = "sentinel-2:S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531"
KINDS = {
    "es-tps": Kind(stored=TPS, scene_id="sentinel-2:S2A_32TPS_20230602_0_L2A"),
    "es-twl": Kind(stored=TWL, scene_id="sentinel-2:S2B_33TWL_20230820_0_L2A"),
    "es-rwt": Kind(stored=RWT, scene_id="sentinel-2:S2A_12RWT_20240106_0_L2A"),
    "es-v0": Kind(stored=V0, scene_id="sentinel-2:S2A_28QCH_20200714_0_L2A", red="B04", nir="B08"),
    "es-c1": Kind(
        stored=C1,
        scene_id="sentinel-2:S2B_MSIL2A_20250422T091559_N0511_R093_T38XNF_20250422T101110",
        collection="sentinel-2-c1-l2a",
        **SHIFTED,
    ),
    "pc": Kind(
        stored=PC,
        scene_id=VVN,
        red="B04",
        nir="B08",
    ),
    "pc-raster": Kind(
        stored=PC_RASTER,
        scene_id=VVN,
        red="B04",
        nir="B08",
    ),
    "cdse-0500": Kind(
        stored=CDSE_0500,
        scene_id="sentinel-2:S2B_MSIL2A_20200322T074609_N0500_R135_T36NYH_20230612T214223",
        red="B04_10m",
        nir="B08_10m",
        **SHIFTED,
    ),
    "cdse-0512": Kind(
        stored=CDSE_0512,
        scene_id="sentinel-2:S2C_MSIL2A_20260527T014651_N0512_R017_T55WFR_20260527T042005",
        red="B04_10m",
        nir="B08_10m",
        **SHIFTED,
    ),
    "stactools": Kind(
        stored=STACTOOLS,
        scene_id="sentinel-2:S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126",
        **SHIFTED,
    ),
    "look-oli": Kind(
        stored=LOOK_OLI,
        scene_id="landsat:LC08_L2SP_028030_20200114_20200824_02_T1",
        collection="landsat-c2l2-sr",
        **LANDSAT,
    ),
    "look-etm": Kind(
        stored=LOOK_ETM,
        scene_id="landsat:LE07_L2SP_044033_20210329_20210424_02_T1",
        collection="landsat-c2l2-sr",
        **LANDSAT,
    ),
    "pc-oli": Kind(
        stored=PC_OLI, scene_id="landsat:LC09_L2SP_010065_20220129_02_T1", collection="landsat-c2-l2", **LANDSAT
    ),
    "pc-etm": Kind(
        stored=PC_ETM, scene_id="landsat:LE07_L2SP_021030_20100109_02_T1", collection="landsat-c2-l2", **LANDSAT
    ),
}
