"""The map of a result in a browser: legend, value, opacity and swipe, by mouse, finger and keys, light and dark."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import requests
from playwright.sync_api import Locator, Page, expect
from rasterio.warp import transform, transform_bounds
from rasterio.windows import Window

from tests.service.conftest import Service

from .chromium import PHONE, ColorScheme, Watch, serious_faults

_COLOR_STEP = 2 / 254
SCENES = ["sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"]


@pytest.fixture(scope="module")
def ndvi_map(service: Service) -> str:
    return viewer_of(service, {"operation": "ndvi", "scene_ids": SCENES[1:]})


@pytest.fixture(scope="module")
def change_map(service: Service) -> str:
    return viewer_of(service, {"operation": "change_detection", "scene_ids": SCENES})


def viewer_of(service: Service, body: dict[str, object]) -> str:
    job = service.wait_for(service.submit(body)["job_id"], seconds=120)
    assert job["status"] == "completed"
    return str(job["result"]["viewer_url"])


def opened(page: Page, url: str) -> Page:
    """The page once all its pictures are there."""
    page.goto(url)
    page.locator(".leaflet-result-pane img").wait_for()
    page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    return page


def middle_of(map_: Locator) -> tuple[float, float]:
    box = map_.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_map_of_ndvi_shows_legend_and_value(
    watch: Watch, ndvi_map: str, scheme: ColorScheme, screenshot: Callable[[Page, str], None]
) -> None:
    page = opened(watch.open(scheme), ndvi_map)
    expect(page.get_by_role("heading", level=1)).to_have_text("Normalized Difference Vegetation Index")
    expect(page.get_by_text("2025-01-15", exact=True)).to_be_visible()
    expect(page.get_by_text("expires in 24 h")).to_be_visible()
    expect(page.get_by_role("img", name="Colours from -1 to 1")).to_be_visible()
    expect(page.locator(".leaflet-control-scale")).to_be_visible()

    page.mouse.move(*middle_of(page.locator("#map")))
    expect(page.locator("#value")).to_have_text(re.compile(r"NDVI ≈ -?\d\.\d\d|no data"))
    expect(page.get_by_text("Approximate")).to_be_visible()
    assert serious_faults(page) == []
    if scheme == "light":
        screenshot(page, "map-ndvi.jpg")


def test_value_by_keys_is_that_of_the_file(page: Page, service: Service) -> None:
    """At the middle of the map, within a step of the colours. A pixel of the picture covers several of the file."""
    job = service.wait_for(service.submit({"operation": "ndvi", "scene_ids": SCENES[1:]})["job_id"], seconds=120)
    opened(page, job["result"]["viewer_url"])
    page.locator("#map").focus()
    expect(page.locator("#crosshair")).to_be_visible()
    expect(page.locator("#value")).to_have_text(re.compile(r"NDVI ≈"))
    shown = float(re.findall(r"-?\d\.\d+", page.locator("#value").inner_text())[0])
    around = values_amid(job["result"])
    assert around.min() - _COLOR_STEP <= shown <= around.max() + _COLOR_STEP

    page.keyboard.press("ArrowRight")
    expect(page.locator("#value")).not_to_have_text(f"NDVI ≈ {shown:.2f}")


def values_amid(result: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The NDVI of the 25 x 25 pixels in the middle of the result's bbox."""
    west, south, east, north = transform_bounds("EPSG:4326", "EPSG:3857", *result["bbox"])
    with rasterio.open(result["href"]) as cog:
        (x,), (y,) = transform("EPSG:3857", cog.crs, [(west + east) / 2], [(south + north) / 2])
        row, column = cog.index(x, y)
        values: npt.NDArray[np.float32] = cog.read(1, window=Window(column - 12, row - 12, 25, 25))
    return values[np.isfinite(values)]


def test_opacity_is_that_of_the_slider(page: Page, ndvi_map: str) -> None:
    opened(page, ndvi_map)
    page.get_by_label("Opacity").focus()
    page.keyboard.press("Home")
    expect(page.locator(".leaflet-result-pane")).to_have_css("opacity", "0")
    page.keyboard.press("End")
    expect(page.locator(".leaflet-result-pane")).to_have_css("opacity", "1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_map_of_a_change_shows_classes_with_their_hectares(watch: Watch, change_map: str, scheme: ColorScheme) -> None:
    page = opened(watch.open(scheme), change_map)
    classes = page.locator(".legend li")
    expect(classes).to_have_count(5)
    expect(classes.nth(2)).to_have_text(re.compile(r"vegetation loss\s+[\d,]+ ha"))
    page.mouse.move(*middle_of(page.locator("#map")))
    expect(page.locator("#value")).to_have_text(re.compile("no change|gain|loss|water|no data"))
    assert serious_faults(page) == []


def test_swipe_moves_by_keys_and_mouse(page: Page, change_map: str, screenshot: Callable[[Page, str], None]) -> None:
    opened(page, change_map)
    page.get_by_label("Swipe", exact=True).check()
    handle = page.get_by_role("slider", name="Boundary between before and after")
    expect(handle).to_have_attribute("aria-valuenow", "50")

    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "48")
    page.keyboard.press("Home")
    expect(handle).to_have_attribute("aria-valuetext", "0 % before, 100 % after")
    page.keyboard.press("End")
    expect(handle).to_have_attribute("aria-valuenow", "100")
    page.keyboard.press("PageDown")
    expect(handle).to_have_attribute("aria-valuenow", "90")

    x, y = middle_of(page.locator("#map"))
    page.mouse.move(*middle_of(handle))
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "50")
    clips = [
        page.locator(f".leaflet-{name}-pane").evaluate("pane => pane.style.clipPath") for name in ("before", "after")
    ]
    assert all(clip.startswith("polygon") for clip in clips)
    assert clips[0] != clips[1]
    screenshot(page, "map-change.jpg")


def test_before_and_after_show_one_scene_each(page: Page, change_map: str) -> None:
    opened(page, change_map)
    for shown, hidden in (("Before", "after"), ("After", "before")):
        page.get_by_label(shown, exact=True).check()
        expect(page.locator(f".leaflet-{shown.lower()}-pane")).not_to_have_css("display", "none")
        expect(page.locator(f".leaflet-{hidden}-pane")).to_have_css("display", "none")
        expect(page.locator(".leaflet-result-pane")).to_have_css("opacity", "0")


def test_phone_shows_the_map_and_swipes_by_touch(watch: Watch, change_map: str) -> None:
    page = opened(watch.open(viewport=PHONE, has_touch=True), change_map)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.touchscreen.tap(*middle_of(page.locator("#map")))
    expect(page.locator("#value")).not_to_have_text("Point at the map for a value")
    page.get_by_label("Swipe", exact=True).check()
    handle = page.get_by_role("slider", name="Boundary between before and after")
    drag_by_touch(page, handle, -100)
    assert int(handle.get_attribute("aria-valuenow") or "50") < 35
    assert serious_faults(page) == []


def drag_by_touch(page: Page, handle: Locator, by: float) -> None:
    x, y = middle_of(handle)
    session = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", x), ("touchMove", x + by / 2), ("touchMove", x + by), ("touchEnd", None)):
        points = [] if at is None else [{"x": at, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_download_is_the_file(page: Page, ndvi_map: str) -> None:
    opened(page, ndvi_map)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download GeoTIFF").click()
    assert download.value.suggested_filename.startswith("ndvi_")


def test_discarded_result_has_a_page_that_says_so(watch: Watch, service: Service) -> None:
    job = service.wait_for(service.submit()["job_id"])
    place = f"{service.url}/api/v1/process/{job['job_id']}/result"
    assert requests.delete(place, headers=service.headers, timeout=10).status_code == 200
    page = watch.open()
    answer = page.goto(job["result"]["viewer_url"])
    assert answer is not None
    assert answer.status == 410
    expect(page.get_by_role("heading", name="This map has expired")).to_be_visible()
    assert serious_faults(page) == []
    watch.forgive("410")
    assert service.poll(job["job_id"])["result"]["viewer_url"] is None
