"""The params of change detection: which are accepted, how the job keeps them, and what they can show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from rest_framework.test import APIClient

from processing.raster.operations.change_detection import OPERATION, ChangeDetectionParams
from processing.raster.operations.ndvi import NdviParams
from processing.raster.params import InvalidParams
from processing.raster.types import SceneId
from tests.raster.support.pairs import AFTER, BEFORE

LC08 = "LC08_L2SP_008059_20191201_20200825_02_T1"
LC09 = "LC09_L2SP_010065_20220129_20220131_02_T1"
LT05 = "LT05_L2SP_044033_20100329_20200824_02_T1"
LE07 = "LE07_L2SP_044033_20210329_20210424_02_T1"
OLDER = "S2A_MSIL2A_20160715T184929_N0204_R070_T10SEG_20160715T224157"

DEFAULTS = {"threshold": 0.1, "bands": ["red", "nir"], "cloud_mask": True, "mask_dilation": 60.0, "aoi": None}


def ids(*names: str) -> list[SceneId]:
    return [SceneId(provider="sentinel-2" if name.startswith("S2") else "landsat", original_id=name) for name in names]


def normalised(bands: Sequence[str], before: str = BEFORE, after: str = AFTER) -> list[str]:
    return OPERATION.normalise(ChangeDetectionParams(bands=list(bands)), ids(before, after)).bands


@pytest.mark.parametrize("threshold", [0, 0.0, 1e-9, 0.25, 1, 1.0])
def test_threshold_from_0_to_1_is_accepted(threshold: float) -> None:
    assert ChangeDetectionParams(threshold=threshold).threshold == threshold


OTHER_THRESHOLDS = [
    -1e-9,
    -1,
    1.0000001,
    2,
    10**400,
    float("nan"),
    float("inf"),
    True,
    False,
    "0.1",
    "",
    None,
    [0.1],
    {},
]


@pytest.mark.parametrize("threshold", OTHER_THRESHOLDS, ids=lambda value: repr(value)[:20])
def test_any_other_threshold_is_refused(threshold: Any) -> None:
    with pytest.raises(ValidationError) as error:
        ChangeDetectionParams(threshold=threshold)
    assert [fault["loc"] for fault in error.value.errors()] == [("threshold",)]


@pytest.mark.parametrize(
    "bands",
    [
        *("red", None, 4, {"red": 1}, [], ["red"] * 21, ["red", 4], ["red", None], ["red", True], ["red", ""]),
        *(["red", "-nir"], ["red", "n ir"], ["red", "nir\n"], ["red", "../nir"], ["red", "n" * 41], ["red", "näh"]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_malformed_bands_are_refused(bands: Any) -> None:
    with pytest.raises(ValidationError) as error:
        ChangeDetectionParams(bands=bands)
    assert {fault["loc"][0] for fault in error.value.errors()} == {"bands"}


@pytest.mark.parametrize("value", [None, 0, 1, "true", "yes", []])
@pytest.mark.parametrize("model", [ChangeDetectionParams, NdviParams])
def test_cloud_mask_must_be_true_or_false(model: type[ChangeDetectionParams] | type[NdviParams], value: Any) -> None:
    with pytest.raises(ValidationError):
        model(cloud_mask=value)


def test_unknown_params_are_refused() -> None:
    with pytest.raises(ValidationError):
        ChangeDetectionParams.model_validate({"treshold": 0.1})


@pytest.mark.parametrize(
    ("bands", "before", "after", "expected"),
    [
        (["red", "nir"], BEFORE, AFTER, ["red", "nir"]),
        (["nir", "red", "swir16"], BEFORE, AFTER, ["nir", "red", "swir16"]),
        (["B04", "B08", "B11"], BEFORE, AFTER, ["red", "nir", "swir16"]),
        (["b4", "B8", "b11"], BEFORE, AFTER, ["red", "nir", "swir16"]),
        (["B4", "B8A", "B12"], OLDER, AFTER, ["red", "nir08", "swir22"]),
        (["B02", "green", "B08"], BEFORE, AFTER, ["blue", "green", "nir"]),
        (["B4", "B5", "B6"], LC08, LC09, ["red", "nir08", "swir16"]),
        (["B04", "B05", "B07"], LC08, LC08, ["red", "nir08", "swir22"]),
        (["B3", "B4", "B5"], LT05, LE07, ["red", "nir08", "swir16"]),
        (["B2", "B7", "B4"], LT05, LT05, ["green", "swir22", "nir08"]),
        (["red", "nir08", "swir16"], BEFORE, LC08, ["red", "nir08", "swir16"]),
        (["red", "nir"], LC08, LT05, ["red", "nir"]),
        # A native name that means the same in both.
        (["B02", "red", "nir08"], BEFORE, LC08, ["blue", "red", "nir08"]),
    ],
)
def test_bands_are_kept_by_common_name(bands: list[str], before: str, after: str, expected: list[str]) -> None:
    assert normalised(bands, before, after) == expected


@pytest.mark.parametrize(
    ("bands", "before", "after"),
    [
        (["red", "nir", "red"], BEFORE, AFTER),
        (["red", "B04", "nir"], BEFORE, AFTER),
        (["B4", "B04", "nir"], BEFORE, AFTER),
        (["b8a", "nir08", "red"], BEFORE, AFTER),
        (["nir08", "B5", "red"], LC08, LC08),
        (["nir08", "B4", "red"], LT05, LT05),
    ],
)
def test_one_band_by_two_names_is_refused(bands: list[str], before: str, after: str) -> None:
    with pytest.raises(InvalidParams, match="twice") as error:
        normalised(bands, before, after)
    assert error.value.parameter == "bands"


@pytest.mark.parametrize(
    "bands",
    [
        *(["red"], ["nir"], ["red", "green"], ["red", "swir16"], ["swir16", "swir22"], ["blue", "nir"]),
        *(["green", "swir22"], ["nir", "nir08"], ["B04"], ["B03", "B04", "B12"]),
    ],
    ids="-".join,
)
def test_bands_that_form_no_index_are_refused(bands: list[str]) -> None:
    with pytest.raises(InvalidParams, match="no index") as error:
        normalised(bands)
    assert error.value.parameter == "bands"


@pytest.mark.parametrize(
    ("bands", "wrong"), [(["RED", "NIR"], "RED"), (["foo", "nir"], "foo"), (["red", "Nir"], "Nir")]
)
def test_band_that_no_sensor_has_is_named(bands: list[str], wrong: str) -> None:
    with pytest.raises(InvalidParams, match=f'no band "{wrong}"; names are lower case: .*nir'):
        normalised(bands)


@pytest.mark.parametrize(
    ("bands", "before", "after"),
    [
        (["B04", "B08"], BEFORE, LC08),  # B04 is red at both, B08 is not
        (["B4", "B5", "red"], LC08, LT05),
        (["B11", "nir08", "red"], BEFORE, LE07),
    ],
)
def test_native_names_that_mean_other_bands_in_each_scene_are_refused(
    bands: list[str], before: str, after: str
) -> None:
    for first, second in ((before, after), (after, before)):
        with pytest.raises(InvalidParams, match="common names") as error:
            normalised(bands, first, second)
        assert error.value.parameter == "bands"


@pytest.mark.parametrize(
    ("bands", "detectable", "said"),
    [
        (["red", "nir"], [0, 1, 2, 4], ["built-up", "swir16"]),
        (["red", "nir08", "green", "blue"], [0, 1, 2, 4], ["built-up", "swir16"]),
        (["red", "nir", "swir16"], [0, 1, 2, 3, 4], []),
        (["red", "nir08", "swir22"], [0, 1, 2, 3, 4], []),
        (["blue", "green", "red", "nir", "swir16", "swir22"], [0, 1, 2, 3, 4], []),
        (["green", "nir"], [0, 4], ["vegetation gain", "vegetation loss", "built-up gain"]),
        (["green", "swir16"], [0, 4], ["vegetation gain", "vegetation loss", "built-up gain"]),
        (["swir16", "nir"], [0], ["vegetation gain", "vegetation loss", "built-up gain", "water change"]),
        (["swir22", "nir08"], [0], ["vegetation gain", "vegetation loss", "built-up gain", "water change"]),
    ],
)
def test_classes_that_the_bands_can_show(bands: list[str], detectable: list[int], said: list[str]) -> None:
    params = ChangeDetectionParams(bands=bands)
    notes = OPERATION.notes(params)
    assert len(notes) == bool(said)
    for words in said:
        assert words in notes[0]
    tally = OPERATION.tally(params)
    tally.add(np.zeros((1, 1), np.uint8), np.array([100.0]))
    assert tally.statistics()["detectable_classes"] == detectable


def test_result_names_every_class_and_its_color() -> None:
    classes = OPERATION.result_fields(ChangeDetectionParams())["classification:classes"]
    assert [(each["value"], each["name"], each["description"]) for each in classes] == [
        (0, "no_change", "no change"),
        (1, "vegetation_gain", "vegetation gain"),
        (2, "vegetation_loss", "vegetation loss"),
        (3, "built_up_gain", "built-up gain"),
        (4, "water_change", "water change"),
        (255, "nodata", "no data or masked"),
    ]
    colours = [each["color_hint"] for each in classes[:-1]]
    assert len(set(colours)) == 5
    palette = OPERATION.pixel_format(ChangeDetectionParams()).palette
    assert [bytes(colour[:3]).hex().upper() for colour in palette] == colours


def accepts(**params: Any) -> bool:
    try:
        ChangeDetectionParams(**params)
    except ValidationError:
        return False
    return True


def test_schema_has_the_bounds_that_are_checked() -> None:
    schema = ChangeDetectionParams.model_json_schema()["properties"]
    low, high = schema["threshold"]["minimum"], schema["threshold"]["maximum"]
    fewest, most = schema["bands"]["minItems"], schema["bands"]["maxItems"]
    assert [accepts(threshold=value) for value in (low - 1e-9, low, high, high + 1e-9)] == [False, True, True, False]
    assert [accepts(bands=["red"] * n) for n in (fewest - 1, fewest, most, most + 1)] == [False, True, True, False]


def test_schema_describes_every_param_and_has_its_default() -> None:
    schema = ChangeDetectionParams.model_json_schema()["properties"]
    assert {name: each["default"] for name, each in schema.items()} == ChangeDetectionParams().model_dump()
    assert all(each["description"] for each in schema.values())


# Through the API.

FIRST, SECOND = f"sentinel-2:{BEFORE}", f"sentinel-2:{AFTER}"


def submit(api: APIClient, params: Any, *scenes: str) -> Any:
    body = {"operation": "change_detection", "scene_ids": list(scenes or (FIRST, SECOND)), "params": params}
    return api.post("/api/v1/process", body, format="json")


def test_answer_has_the_params_as_the_job_keeps_them(api: APIClient) -> None:
    response = submit(api, {"bands": ["B04", "B8", "B11"], "threshold": 0.2})
    assert response.status_code == 202, response.content
    assert response.json()["params"] == {**DEFAULTS, "threshold": 0.2, "bands": ["red", "nir", "swir16"]}


def test_answer_has_the_defaults_of_params_that_were_left_out(api: APIClient) -> None:
    response = submit(api, {})
    assert response.status_code == 202, response.content
    assert response.json()["params"] == DEFAULTS


@pytest.mark.parametrize("metres", [0, 12.5, 1000])
def test_mask_dilation_is_kept(metres: float) -> None:
    assert ChangeDetectionParams(mask_dilation=metres).mask_dilation == metres


@pytest.mark.parametrize("metres", [-1, 1000.5, float("nan"), float("inf"), "60", None, True])
def test_mask_dilation_is_a_number_of_metres_up_to_1000(metres: Any) -> None:
    with pytest.raises(ValidationError):
        ChangeDetectionParams(mask_dilation=metres)


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"threshold": 1.5}, "params.threshold"),
        ({"threshold": -0.1}, "params.threshold"),
        ({"threshold": "0.1"}, "params.threshold"),
        ({"threshold": True}, "params.threshold"),
        ({"threshold": 10**400}, "params.threshold"),
        ({"bands": ["red", "B04", "nir"]}, "params.bands"),
        ({"bands": ["red", "green"]}, "params.bands"),
        ({"bands": "red"}, "params.bands"),
        ({"bands": []}, "params.bands"),
        ({"bands": ["red", "n/r"]}, "params.bands[1]"),
        ({"cloud_mask": "no"}, "params.cloud_mask"),
        ({"aoi": [0, 0, 0, 0]}, "params.aoi"),
        ({"aoi": [0, 0, 1, 10**400]}, "params.aoi"),
        ({"aoi": {"type": "Feature"}}, "params.aoi"),
        ({"colormap": "viridis"}, "params.colormap"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_wrong_params_are_answered_with_400(api: APIClient, params: dict[str, Any], parameter: str) -> None:
    response = submit(api, params)
    assert response.status_code == 400, response.content
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [fault["parameter"] for fault in error["details"]["errors"]] == [parameter]


@pytest.mark.parametrize("scenes", [(FIRST,), (FIRST, FIRST), (FIRST, SECOND, f"sentinel-2:{OLDER}")])
def test_any_scenes_but_two_different_ones_are_refused(api: APIClient, scenes: tuple[str, ...]) -> None:
    response = submit(api, {}, *scenes)
    assert response.status_code == 400
    parameters = [fault["parameter"] for fault in response.json()["error"]["details"]["errors"]]
    assert all(parameter.startswith("scene_ids") for parameter in parameters)


def test_operation_is_listed_with_its_roles_and_schema(api: APIClient) -> None:
    listed = {each["name"]: each for each in api.get("/api/v1/operations").json()["operations"]}
    change = listed["change_detection"]
    assert (change["scenes"], change["scene_roles"]) == (2, ["before", "after"])
    assert set(change["params"]["properties"]) == {"threshold", "bands", "cloud_mask", "mask_dilation", "aoi"}
    assert {"aoi", "cloud_mask"} <= set(listed["ndvi"]["params"]["properties"])
