"""GET /api/v1/scenes/{scene_id}: one scene, or the reason why there is none."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from astra.starting import BY_MANAGE
from processing.http import retry
from processing.raster.radiometry.bands import resolve_band
from processing.raster.scenes import find_scene
from processing.raster.types import Catalogues, Network, SceneId
from tests.answers import Answer, assert_error
from tests.raster.support.memories import forget_hosts
from tests.raster.support.misbehaving import SLOW_BODY, SLOW_HEADERS, AnyServer, as_json, content, status
from tests.raster.support.served_catalogues import closed_root, in_pc_form, stored_item

ROOT = Path(__file__).resolve().parents[3]
SHORT = "sentinel-2:S2B_MSIL2A_20250115T184929"
TPS = "S2A_32TPS_20230602_0_L2A"
PRODUCT = "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"


@pytest.fixture(autouse=True)
def _settings(settings: Settings, sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SANDBOX_DIR = sandbox
    settings.PRIVATE_HOSTS = frozenset({"127.0.0.1"})
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))
    forget_hosts(monkeypatch)


@pytest.fixture
def live(live_key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {live_key}")
    return client


@pytest.fixture
def tps(shared_data: Path) -> dict[str, Any]:
    return stored_item(shared_data, f"earthsearch-v1_s2-l2a_2023_boa-true_{TPS}")


def get(client: APIClient, scene_id: str) -> Answer:
    return client.get(f"/api/v1/scenes/{scene_id}")


def use(settings: Settings, *roots: str, provider: str = "sentinel-2") -> None:
    settings.STAC_ROOTS = {**settings.STAC_ROOTS, provider: list(roots)}


def test_test_key_sees_the_sandbox_with_what_the_pipeline_would_use(api: APIClient, sandbox: Path) -> None:
    answer = get(api, SHORT)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"
    item = answer.json()
    scene = find_scene(SceneId.parse(SHORT), Catalogues(sandbox=sandbox), Network())
    assert (item["type"], item["id"]) == ("Feature", SHORT)
    assert item["properties"]["astra:original_id"] == scene.item_id
    assert item["properties"]["astra:provider"] == "sentinel-2"
    assert item["properties"]["astra:provider_name"]
    assert item["properties"]["datetime"].startswith("2025-01-15T18:")
    assert item["properties"]["proj:code"].startswith("EPSG:")
    assert {"eo:cloud_cover", "platform", "gsd"} <= set(item["properties"])
    for name in ("red", "nir"):
        band = resolve_band(scene, name)
        asset = item["assets"][band.asset]
        assert (asset["raster:scale"], asset["raster:offset"], asset["nodata"]) == (
            band.scale,
            band.offset,
            band.nodata,
        )
        assert asset["bands"][0]["eo:common_name"] == name


def test_sandbox_item_leads_to_no_path_of_this_machine(api: APIClient, sandbox: Path) -> None:
    body = get(api, SHORT).content.decode()
    assert str(sandbox) not in body
    assert "file://" not in body


def test_test_key_asks_no_catalogue(api: APIClient, settings: Settings) -> None:
    with AnyServer(as_json({"features": []})) as server:
        use(settings, server.url)
        get(api, SHORT)
        assert_error(get(api, f"sentinel-2:{PRODUCT}"), 404, "SCENE_NOT_FOUND")
    assert server.asked == []


def test_live_key_sees_what_the_catalogue_has(live: APIClient, settings: Settings, tps: dict[str, Any]) -> None:
    with AnyServer(as_json({"features": [tps], "links": []})) as server:
        use(settings, server.url)
        answer = get(live, f"sentinel-2:{PRODUCT}")
    assert answer.status_code == 200, answer.content
    item = answer.json()
    assert item["id"] == f"sentinel-2:{PRODUCT}"
    assert item["properties"]["astra:original_id"] == TPS
    assert item["properties"]["platform"] == "sentinel-2a"
    assert item["properties"]["eo:cloud_cover"] == 31.735489
    red = item["assets"]["red"]
    assert red["bands"] == [{"name": "B04", "eo:common_name": "red"}]
    assert (red["raster:scale"], red["raster:offset"], red["nodata"]) == (1e-4, 0.0, 0.0)
    assert "boa_offset_applied" in red["astra:offset_reason"]


def test_unknown_scene_is_not_found(live: APIClient, settings: Settings) -> None:
    with AnyServer(as_json({"features": [], "links": []})) as server:
        use(settings, server.url)
        error = assert_error(get(live, f"sentinel-2:{PRODUCT}"), 404, "SCENE_NOT_FOUND")
    assert error["details"] == {"scene_id": f"sentinel-2:{PRODUCT}"}


def test_name_of_several_scenes_is_a_conflict_that_names_them(
    live: APIClient, settings: Settings, tps: dict[str, Any]
) -> None:
    other = {**tps, "id": "S2A_32TPT_20230602_0_L2A", "properties": {**tps["properties"]}}
    other["properties"]["s2:product_uri"] = PRODUCT.replace("32TPS", "32TPT") + ".SAFE"
    with AnyServer(as_json({"features": [tps, other], "links": []})) as server:
        use(settings, server.url)
        error = assert_error(get(live, f"sentinel-2:{PRODUCT[:26]}"), 409, "AMBIGUOUS_SCENE_ID")
    assert error["details"]["candidates"] == [
        f"sentinel-2:{PRODUCT}",
        f"sentinel-2:{PRODUCT.replace('32TPS', '32TPT')}",
    ]


MALFORMED = [
    "anything",
    "sentinel-2",
    "sentinel-2:",
    "sentinel-2:anything",
    "sentinel-3:S3A",
    "landsat:S2B_MSIL2A_20250115T184929",
    "planetary-computer:LC09_L1TP_010065_20220129_02_T1",
    "Sentinel-2:S2B_MSIL2A_20250115T184929",
    "a:b:c",
    "%00",
    "sentinel-2:%2e%2e",
    "sentinel-2:S2B_MSIL2A_20251315T184929",
    f"sentinel-2:{'S' * 300}",
]


@pytest.mark.parametrize("malformed", MALFORMED)
@pytest.mark.parametrize("mode", ["test", "live"])
def test_malformed_id_is_refused(request: pytest.FixtureRequest, settings: Settings, mode: str, malformed: str) -> None:
    use(settings, closed_root())
    client: APIClient = request.getfixturevalue("api" if mode == "test" else "live")
    assert_error(get(client, malformed), 400, "INVALID_ID_FORMAT")


@pytest.mark.parametrize(
    "malformed",
    [
        "landsat:LC09_L1TP_044034_20250110_20250112_02_T1",
        "planetary-computer:anything",
        "sentinel-2:S2B_MSIL1C_20250115T184929",
        "modis:MOD09",
    ],
)
def test_malformed_id_is_refused_at_submit(api: APIClient, malformed: str) -> None:
    error = assert_error(
        api.post("/api/v1/process", {"operation": "ndvi", "scene_ids": [malformed]}, format="json"),
        400,
        "INVALID_ID_FORMAT",
    )
    assert error["details"]["errors"][0]["parameter"] == "scene_ids[0]"
    assert error["details"]["errors"][0]["received"] == malformed


def test_catalogue_that_is_down_is_named_and_can_be_tried_again(live: APIClient, settings: Settings) -> None:
    root = closed_root()
    use(settings, root)
    answer = get(live, f"sentinel-2:{PRODUCT}")
    error = assert_error(answer, 503, "PROVIDER_UNAVAILABLE")
    assert int(answer["Retry-After"]) > 0
    assert error["details"]["host"] == root.removeprefix("http://")
    assert error["details"]["host"] in error["message"]


@pytest.mark.parametrize("wait", ["600", "9" * 400])
def test_catalogue_that_asks_for_patience_is_passed_on(live: APIClient, settings: Settings, wait: str) -> None:
    with AnyServer(status(429, Retry_After=wait)) as server:
        use(settings, server.url)
        answer = get(live, f"sentinel-2:{PRODUCT}")
    assert_error(answer, 503, "PROVIDER_UNAVAILABLE")
    assert int(answer["Retry-After"]) > 0


def test_catalogue_that_fails_is_asked_once(live: APIClient, settings: Settings) -> None:
    with AnyServer(status(503)) as server:
        use(settings, server.url)
        assert_error(get(live, f"sentinel-2:{PRODUCT}"), 503, "PROVIDER_UNAVAILABLE")
    assert len(server.asked) == 1


@pytest.mark.parametrize("scene_id", [PRODUCT, PRODUCT[:26], TPS])
def test_caller_waits_five_seconds_for_dripping_catalogues(live: APIClient, settings: Settings, scene_id: str) -> None:
    with AnyServer(SLOW_BODY) as first, AnyServer(SLOW_HEADERS) as second:
        use(settings, first.url, second.url)
        started = time.monotonic()
        assert_error(get(live, f"sentinel-2:{scene_id}"), 503, "PROVIDER_UNAVAILABLE")
        assert time.monotonic() - started < 10


def test_caller_sees_what_stands_in_for_an_id_that_cannot_be_had(
    live: APIClient, settings: Settings, tps: dict[str, Any]
) -> None:
    with AnyServer(as_json({"features": [in_pc_form(tps)], "links": []})) as server:
        use(settings, closed_root(), server.url)
        answer = get(live, f"sentinel-2:{TPS}")
    assert answer.status_code == 200, answer.content
    (warning,) = answer.json()["properties"]["astra:warnings"]
    assert {TPS, PRODUCT} <= {word.strip(",:").removeprefix("sentinel-2:") for word in warning.split()}


def test_login_page_in_place_of_the_catalogue_is_unavailable(live: APIClient, settings: Settings) -> None:
    with AnyServer(content(b"<html>Sign in</html>", headers={"Content-Type": "text/html"})) as server:
        use(settings, server.url)
        assert_error(get(live, f"sentinel-2:{PRODUCT}"), 503, "PROVIDER_UNAVAILABLE")


def test_nobody_sees_a_scene_without_a_key(db: None) -> None:
    answer = get(APIClient(), SHORT)
    assert_error(answer, 401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_scenes_are_only_read(api: APIClient, method: str) -> None:
    assert_error(getattr(api, method)(f"/api/v1/scenes/{SHORT}"), 405, "METHOD_NOT_ALLOWED")


PROGRAM = """
import sys
from types import SimpleNamespace
import astra.wsgi
from pathlib import Path
from django.conf import settings
from rest_framework.test import APIRequestFactory, force_authenticate
from processing.api.views import SceneDetail

settings.SANDBOX_DIR = Path(sys.argv[1])
request = APIRequestFactory().get("/")
force_authenticate(request, token=SimpleNamespace(is_test=True))
answer = SceneDetail.as_view(permission_classes=(), throttle_classes=())(request, scene_id=sys.argv[2]).render()
assert answer.status_code == 200, answer.content
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("rasterio", "osgeo", "fiona", "pyproj")))
"""


def test_web_process_answers_a_scene_without_loading_gdal(tmp_path: Path, sandbox: Path) -> None:
    ours = {"ASTRA_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "astra.settings", BY_MANAGE: "1"}
    environment = {**os.environ, **ours}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(sandbox), SHORT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
