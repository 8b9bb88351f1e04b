"""GET /api/v1/operations describes what a submit is checked with."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.processing.jobs import EXAMPLE, SCENE, URL

OPERATIONS = "/api/v1/operations"


@pytest.fixture
def ndvi(api: APIClient) -> dict[str, Any]:
    answer = api.get(OPERATIONS)
    assert answer.status_code == 200
    return next(one for one in answer.json()["operations"] if one["name"] == "ndvi")


@pytest.fixture
def colormaps(ndvi: dict[str, Any]) -> list[str]:
    """The colormaps that the schema names."""
    choices = ndvi["params"]["properties"]["colormap"]["anyOf"]
    return next(choice["enum"] for choice in choices if "enum" in choice)


def submit(api: APIClient, params: Any) -> int:
    return api.post(URL, {**EXAMPLE, "params": params}, format="json").status_code


def test_ndvi_is_described_as_documented(ndvi: dict[str, Any], colormaps: list[str]) -> None:
    assert ndvi["title"] == "Normalized Difference Vegetation Index"
    assert ndvi["description"]
    assert ndvi["scenes"] == 1
    assert len(ndvi["scene_roles"]) == 1
    assert ndvi["params"]["type"] == "object"
    assert set(ndvi["params"]["properties"]) == {"aoi", "cloud_mask", "mask_dilation", "colormap", "precision"}
    assert set(colormaps) == {"rdylgn", "viridis", "greens"}


def test_params_that_the_schema_allows_are_accepted(api: APIClient, ndvi: dict[str, Any], colormaps: list[str]) -> None:
    assert ndvi["params"].get("required", []) == []
    assert {"type": "null"} in ndvi["params"]["properties"]["colormap"]["anyOf"]
    for params in ({}, {"colormap": None}, *({"colormap": name} for name in colormaps)):
        assert submit(api, params) == 202, params


def test_params_that_the_schema_forbids_are_refused(api: APIClient, ndvi: dict[str, Any], colormaps: list[str]) -> None:
    assert ndvi["params"]["additionalProperties"] is False
    assert submit(api, {"another": 1}) == 400
    wrong_ones: list[Any] = ["jet", colormaps[0].upper(), 1, True, [], {}]
    for wrong in wrong_ones:
        assert submit(api, {"colormap": wrong}) == 400, wrong


def test_defaults_of_the_schema_are_those_of_a_job(api: APIClient, ndvi: dict[str, Any]) -> None:
    defaults = {name: schema["default"] for name, schema in ndvi["params"]["properties"].items()}
    job = api.post(URL, {"operation": "ndvi", "scene_ids": [SCENE]}, format="json").json()
    assert job["params"] == defaults


def test_submit_takes_the_listed_number_of_scenes(api: APIClient, ndvi: dict[str, Any]) -> None:
    for count in range(4):
        scenes = [f"{SCENE}_N{number:04}" for number in range(count)]
        answer = api.post(URL, {"operation": "ndvi", "scene_ids": scenes}, format="json")
        assert (answer.status_code == 202) == (count == ndvi["scenes"])


def test_submit_names_every_listed_operation(api: APIClient) -> None:
    listed = [one["name"] for one in api.get(OPERATIONS).json()["operations"]]
    answer = api.post(URL, {**EXAMPLE, "operation": "nonsense"}, format="json")
    assert all(name in answer.json()["error"]["message"] for name in listed)
    assert listed == sorted(listed)


def test_operations_need_a_key(client: APIClient, db: None) -> None:
    assert client.get(OPERATIONS).status_code == 401
