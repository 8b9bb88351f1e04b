"""What a refused request is told: what is wrong, in words that a caller can act on, none of a library."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.answers import assert_error
from tests.processing.jobs import EXAMPLE, SCENE, URL

OTHER = "sentinel-2:S2B_MSIL2A_20240715T184929"
CHANGE = {"operation": "change_detection", "scene_ids": [OTHER, SCENE]}
FOREIGN_WORDS = (
    "Input should",
    "Extra inputs",
    "Value error",
    "String should",
    "List should",
    "pattern",
    "set_int_max",
)


def params(**values: Any) -> dict[str, Any]:
    return {**CHANGE, "params": values}


@pytest.mark.parametrize(
    ("body", "parameter", "said"),
    [
        ({**EXAMPLE, "scene_ids": SCENE}, "scene_ids", "must be an array of strings, got a string"),
        ({**EXAMPLE, "scene_ids": None}, "scene_ids", "must be an array of strings, got null"),
        ({**EXAMPLE, "scene_ids": [True]}, "scene_ids[0]", "got true or false"),
        ({**EXAMPLE, "scene_ids": ["Sentinel-2:S2B"]}, "scene_ids[0]", "written in lower case: sentinel-2"),
        ({**EXAMPLE, "scene_ids": ["sentinel-2: S2B"]}, "scene_ids[0]", "a blank or a line break"),
        ({**EXAMPLE, "scene_ids": ["S2B"]}, "scene_ids[0]", "provider and its colon are missing"),
        ({**EXAMPLE, "scene_ids": ["sentinel-2:"]}, "scene_ids[0]", "Nothing follows the colon"),
        ({**EXAMPLE, "scene_ids": ["sentinel-2:ä"]}, "scene_ids[0]", "characters that no scene id has"),
        ({**EXAMPLE, "scene_ids": ["sentinel-9:S2B"]}, "scene_ids[0]", "there are: landsat, planetary-computer"),
        ({**EXAMPLE, "params": []}, "params", "must be an object, got an array"),
        ([], "", "must be a JSON object, got an array"),
        (params(bands=["Red", "NIR"]), "params.bands", 'no band "Red"; names are lower case: '),
        (params(bands=["foo", "nir"]), "params.bands", 'no band "foo"'),
        (params(bands=["red", "n/r"]), "params.bands[1]", "a form that no such name has"),
        (params(bands="red"), "params.bands", "must be an array, got red"),
        (params(bands=[]), "params.bands", "must hold 1 or more, and holds 0"),
        (params(bands=["red"] * 21), "params.bands", "must hold 20 or fewer, and holds 21"),
        (params(bands=["red", 4]), "params.bands[1]", "must be a string, got a number"),
        (params(treshold=1), "params.treshold", "no such param; there are: aoi, bands, cloud_mask"),
        (params(threshold="high"), "params.threshold", "must be a number, got high"),
        (params(threshold=-1), "params.threshold", "must be 0 or more"),
        (params(threshold=2), "params.threshold", "must be 1 or less"),
        (params(threshold=10**400), "params.threshold", "number"),
        (params(cloud_mask=1), "params.cloud_mask", "must be true or false, got a number"),
        (params(mask_dilation=2000), "params.mask_dilation", "must be 1000 or less"),
        (params(aoi=[1, 2]), "params.aoi", "A box is four numbers"),
        ({**EXAMPLE, "params": {"colormap": "jet"}}, "params.colormap", "must be rdylgn, viridis or greens, got jet"),
        ({**EXAMPLE, "params": {"precision": {}}}, "params.precision", "must be full or compact, got an object"),
    ],
)
def test_fault_is_named_in_plain_words(api: APIClient, body: Any, parameter: str, said: str) -> None:
    error = assert_error(api.post(URL, body, format="json"), 400)
    (fault,) = (fault for fault in error["details"]["errors"] if fault["parameter"] == parameter)
    assert said in fault["message"]
    assert not [word for word in FOREIGN_WORDS if word in error["message"]]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (["Red", 4], '["Red", 4]'),
        ({"é": None}, '{"é": null}'),
        ("x" * 300, "x" * 200),
        (["x" * 300], '["' + "x" * 198),
        (4, 4),
        (10**300, "1" + "0" * 199),
        (None, None),
        (False, False),
    ],
)
def test_what_was_received_is_shown_as_json_and_cut(api: APIClient, sent: Any, shown: Any) -> None:
    error = assert_error(api.post(URL, {**EXAMPLE, "operation": sent}, format="json"), 400)
    assert error["details"]["errors"][0]["received"] == shown


@pytest.mark.parametrize(
    ("method", "address", "status", "said"),
    [
        ("get", f"{URL}/job_0000000000000000000000", 404, "There is no such job of this account."),
        ("get", f"{URL}/nothing", 404, "There is no such job of this account."),
        ("get", f"{URL}/", 404, f"There is no path {URL}/. Without the slash at its end there is."),
        ("post", "/api/v1/operations/", 404, "Without the slash at its end there is."),
        ("get", "/api/v1/nothing/", 404, "There is no path /api/v1/nothing/."),
        ("get", "/api/v1/" + "a" * 5000, 404, "There is no path /api/v1/aaa"),
        ("put", URL, 405, "PUT is not possible at this address; possible are: GET, POST"),
    ],
)
def test_wrong_address_is_told_apart_from_a_missing_job(
    api: APIClient, method: str, address: str, status: int, said: str
) -> None:
    message = assert_error(getattr(api, method)(address), status)["message"]
    assert said in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=1&limit=2", "limit"),
        ("limit=1&limit=1", "limit"),
        ("a=1&a=", "a"),
        ("status=%00", "status"),
        ("status=%ff%fe", "status"),
        ("status=%ed%a0%80", "status"),
        ("%00=1", "\0"),
        ("%ff=1", "?"),
    ],
)
@pytest.mark.parametrize("path", [URL, "/files/a.tif", "/api/v1/operations"])
def test_query_that_can_be_read_in_two_ways_is_refused(api: APIClient, path: str, query: str, parameter: str) -> None:
    error = assert_error(api.get(f"{path}?{query}"), 400, "VALIDATION_ERROR")
    assert parameter in [fault["parameter"] for fault in error["details"]["errors"]]


@pytest.mark.parametrize("host", ["evil.example", "a" * 300, "127.0.0.1:" + "0" * 300, "[::1", "é", "", "a b"])
@pytest.mark.parametrize("path", ["/healthz", URL, "/admin/", "/nothing"])
def test_wrong_host_is_refused_however_long_it_is(api: APIClient, path: str, host: str) -> None:
    error = assert_error(api.get(path, headers={"Host": host}), 400, "VALIDATION_ERROR")
    assert "Host" in error["message"]
