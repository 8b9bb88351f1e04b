"""The map of a result in a bucket of a real S3 server. The pictures then come from another origin than the page."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.s3 import BUCKET, KEYS, s3_client, s3_server
from tests.service.conftest import Service

from .chromium import Watch

_JOB = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(scope="module")
def of_bucket(bucket: str, sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("of_bucket")
    shutil.copytree(sandbox, data / "sandbox", copy_function=os.link)
    where = {"ASTRA_BUCKET": BUCKET, "AWS_S3_ENDPOINT_URL": bucket, "AWS_REGION": "us-east-1"}
    running = Service(data, {**KEYS, **where}).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def map_url(of_bucket: Service) -> str:
    job = of_bucket.wait_for(of_bucket.submit(_JOB)["job_id"])
    assert job["status"] == "completed", job
    return str(job["result"]["viewer_url"])


@pytest.fixture
def opened(
    browser: Browser, of_bucket: Service, bucket: str, map_url: str
) -> Iterator[Callable[[], tuple[Page, Watch]]]:
    """Opens the map; the page may ask the bucket, too."""
    watch = Watch(browser, of_bucket.url, [urlsplit(bucket).netloc])

    def open_map() -> tuple[Page, Watch]:
        page = watch.open()
        page.goto(map_url)
        page.locator(".leaflet-result-pane img").wait_for()
        box = page.locator("#map").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        return page, watch

    yield open_map
    watch.close()


def allow(bucket: str, origin: str) -> None:
    """Pages of this origin may read the bucket, and no others."""
    rule = {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": [origin], "AllowedHeaders": ["*"]}
    s3_client(bucket).put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})


def test_bucket_that_no_page_may_read_shows_its_picture_and_says_so(
    opened: Callable[[], tuple[Page, Watch]], bucket: str
) -> None:
    allow(bucket, "https://elsewhere.example")
    page, watch = opened()
    shown = page.locator(".leaflet-result-pane img")
    assert shown.evaluate("image => image.naturalWidth") > 0
    assert str(shown.get_attribute("src")).startswith(bucket)
    expect(page.locator("#value")).to_have_text("Values cannot be read: the storage allows it to no page")
    watch.forgive("CORS")
    assert [fault for fault in watch.faults if "net::ERR_FAILED" not in fault] == []


def test_bucket_that_pages_may_read_shows_values(opened: Callable[[], tuple[Page, Watch]], bucket: str) -> None:
    allow(bucket, "*")
    page, watch = opened()
    expect(page.locator("#value")).to_have_text(re.compile(r"NDVI ≈ -?\d\.\d\d|no data"))
    assert watch.faults == []
