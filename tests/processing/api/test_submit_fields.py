"""Fields of a submit: everything that is wrong is named at once, and nothing is written."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.processing.jobs import EXAMPLE, SCENE
from tests.processing.submits import assert_refused, post, post_raw

OTHER_SCENE = "sentinel-2:S2B_MSIL2A_20240715T184929"

NDVI = {"operation": "ndvi"}
ONE = {"scene_ids": [SCENE]}
WRONG_FIELDS: dict[str, tuple[Any, set[str], str]] = {
    "nothing at all": ({}, {"operation", "scene_ids"}, "VALIDATION_ERROR"),
    "no operation": (ONE, {"operation"}, "VALIDATION_ERROR"),
    "unknown operation": ({**ONE, "operation": "ndwi"}, {"operation"}, "VALIDATION_ERROR"),
    "operation in capitals": ({**ONE, "operation": "NDVI"}, {"operation"}, "VALIDATION_ERROR"),
    "operation null": ({**ONE, "operation": None}, {"operation"}, "VALIDATION_ERROR"),
    "operation a number": ({**ONE, "operation": 7}, {"operation"}, "VALIDATION_ERROR"),
    "operation an array": ({**ONE, "operation": ["ndvi"]}, {"operation"}, "VALIDATION_ERROR"),
    "operation an object": ({**ONE, "operation": {"ndvi": 1}}, {"operation"}, "VALIDATION_ERROR"),
    "no scenes": (NDVI, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes null": ({**NDVI, "scene_ids": None}, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes a string": ({**NDVI, "scene_ids": SCENE}, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes an object": ({**NDVI, "scene_ids": {"0": SCENE}}, {"scene_ids"}, "VALIDATION_ERROR"),
    "no scene": ({**NDVI, "scene_ids": []}, {"scene_ids"}, "VALIDATION_ERROR"),
    "two scenes": ({**NDVI, "scene_ids": [SCENE, OTHER_SCENE]}, {"scene_ids"}, "VALIDATION_ERROR"),
    "a scene twice": ({**NDVI, "scene_ids": [SCENE] * 2}, {"scene_ids", "scene_ids[1]"}, "VALIDATION_ERROR"),
    "a thousand scenes": (
        {**NDVI, "scene_ids": [f"{SCENE}_N{number:04}" for number in range(1000)]},
        {"scene_ids"},
        "VALIDATION_ERROR",
    ),
    "scene a number": ({**NDVI, "scene_ids": [7]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "scene null": ({**NDVI, "scene_ids": [None]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "scene an array": ({**NDVI, "scene_ids": [[SCENE]]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "params an array": ({**EXAMPLE, "params": []}, {"params"}, "VALIDATION_ERROR"),
    "params a string": ({**EXAMPLE, "params": "rdylgn"}, {"params"}, "VALIDATION_ERROR"),
    "unknown param": ({**EXAMPLE, "params": {"color": "greens"}}, {"params.color"}, "VALIDATION_ERROR"),
    "unknown colormap": ({**EXAMPLE, "params": {"colormap": "jet"}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "colormap in capitals": ({**EXAMPLE, "params": {"colormap": "RdYlGn"}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "unknown precision": ({**EXAMPLE, "params": {"precision": "half"}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision a number": ({**EXAMPLE, "params": {"precision": 12}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision null": ({**EXAMPLE, "params": {"precision": None}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision of change": (
        {
            **EXAMPLE,
            "operation": "change_detection",
            "scene_ids": [SCENE, OTHER_SCENE],
            "params": {"precision": "full"},
        },
        {"params.precision"},
        "VALIDATION_ERROR",
    ),
    "compact with a colormap": (
        {**EXAMPLE, "params": {"colormap": "greens", "precision": "compact"}},
        {"params.precision"},
        "VALIDATION_ERROR",
    ),
    "colormap a number": ({**EXAMPLE, "params": {"colormap": 1}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "colormap an array": ({**EXAMPLE, "params": {"colormap": ["greens"]}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "unknown field": ({**EXAMPLE, "priority": 9}, {"priority"}, "VALIDATION_ERROR"),
    "two unknown fields": (
        {**EXAMPLE, "job_id": "job_1", "status": "completed"},
        {"job_id", "status"},
        "VALIDATION_ERROR",
    ),
    "everything": (
        {
            "operation": "ndwi",
            "scene_ids": ["nonsense", 7],
            "params": 1,
            "webhook_url": "http://example.com/",
            "priority": 9,
        },
        {"operation", "scene_ids[0]", "scene_ids[1]", "params", "webhook_url", "priority"},
        "VALIDATION_ERROR",
    ),
    "all of a known operation": (
        {"operation": "ndvi", "scene_ids": [], "params": {"colormap": "jet", "b": 1}, "webhook_url": 7, "c": 1},
        {"scene_ids", "params.colormap", "params.b", "webhook_url", "c"},
        "VALIDATION_ERROR",
    ),
    "body an array": ([EXAMPLE], {""}, "VALIDATION_ERROR"),
    "body a string": ("ndvi", {""}, "VALIDATION_ERROR"),
    "body null": (None, {""}, "VALIDATION_ERROR"),
    "body a number": (7, {""}, "VALIDATION_ERROR"),
}


@pytest.mark.parametrize(("body", "parameters", "code"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_every_wrong_field_is_named_at_once(api: APIClient, body: Any, parameters: set[str], code: str) -> None:
    answer = post_raw(api, json.dumps(body).encode())
    error = assert_refused(answer, 400, code)
    faults = error["details"]["errors"]
    assert parameters <= {fault["parameter"] for fault in faults}
    if isinstance(body, dict):
        assert parameters == {fault["parameter"] for fault in faults}
    for fault in faults:
        assert {"parameter", "message", "received", "code"} <= set(fault)
        assert fault["message"] in error["message"]


@pytest.mark.parametrize(
    "scene_id",
    [
        "S2B_MSIL2A_20250115T184929",
        "sentinel-2",
        "sentinel-2:",
        ":S2B_MSIL2A_20250115T184929",
        "sentinel-2:nonsense",
        "sentinel-2:S2B_MSIL2A_20251315T184929",
        "sentinel-2:S2B_MSIL1C_20250115T184929",
        "sentinel-2:../../etc/passwd",
        "sentinel-2:" + "S" * 1000,
        "sentinel-2: S2B_MSIL2A_20250115T184929",
        "sentinel-2:S2B_MSIL2A_20250115T184929\n",
        "sentinel-9:S2B_MSIL2A_20250115T184929",
        "https://example.com/a.tif",
        "",
    ],
)
def test_malformed_scene_id_has_its_own_code(api: APIClient, scene_id: str) -> None:
    error = assert_refused(post(api, {**EXAMPLE, "scene_ids": [scene_id]}), 400, "INVALID_ID_FORMAT")
    (fault,) = error["details"]["errors"]
    assert (fault["parameter"], fault["code"]) == ("scene_ids[0]", "INVALID_ID_FORMAT")
    assert fault["received"] == scene_id[:200]


@pytest.mark.parametrize(
    "url",
    [
        7,
        True,
        ["https://example.com/"],
        "",
        "nonsense",
        "example.com/hook",
        "https://",
        "https:///hook",
        "https://[::1",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://user:password@example.com/",
        "http://example.com/hook",
        "ftp://example.com/hook",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://" + "1" * 64 + "/",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_webhook_url_that_can_never_be_called_is_refused(api: APIClient, url: Any) -> None:
    error = assert_refused(post(api, {**EXAMPLE, "webhook_url": url}), 400, "VALIDATION_ERROR")
    assert [fault["parameter"] for fault in error["details"]["errors"]] == ["webhook_url"]
