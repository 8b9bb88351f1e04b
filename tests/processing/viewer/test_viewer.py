"""Who may see the page of a result, and what it may load."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from astra.pages.content_policy import results_origin
from processing.models import Job
from tests.processing.jobs import URL
from tests.processing.test_pictures import with_preview
from tests.s3 import s3_storage


@pytest.fixture
def job(key: ApiKey, storage: Path) -> Job:
    return with_preview(key)


@pytest.fixture
def page(api: APIClient, job: Job) -> str:
    return str(api.get(f"{URL}/{job.pk}").json()["result"]["viewer_url"])


@pytest.fixture
def bucket(s3_url: str, settings: Settings) -> Iterator[str]:
    """Results lie in a bucket of that server."""
    results_origin.cache_clear()
    settings.STORAGES = {**settings.STORAGES, "default": s3_storage(s3_url)}
    settings.BUCKET = "results"
    yield s3_url
    results_origin.cache_clear()


def test_page_needs_no_login_and_shows_the_legend(page: str) -> None:
    html = Client().get(page).content.decode()
    assert "Normalized Difference Vegetation Index" in html
    assert "expires in 24 h" in html
    assert "Colours from -1 to 1" in html
    assert "<style" not in html
    assert " style=" not in html


def test_changed_link_is_refused_as_that_of_a_file_is(page: str, job: Job) -> None:
    for changed in (page.replace("sig=", "sig=0"), page.partition("?")[0], page.replace(job.pk, f"{job.pk}x")):
        answer = Client().get(changed)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_link_to_the_file_opens_no_page(api: APIClient, page: str, job: Job) -> None:
    of_file = api.get(f"{URL}/{job.pk}").json()["result"]["href"].partition("?")[2]
    assert Client().get(f"{page.partition('?')[0]}?{of_file}").status_code == 403


def test_page_of_a_deleted_result_says_that_it_has_expired(page: str, job: Job) -> None:
    assert job.discard_result()
    answer = Client().get(page)
    assert answer.status_code == 410
    assert "This map has expired" in answer.content.decode()


def test_base_map_is_asked_for_only_where_the_operator_names_one(page: str, settings: Settings) -> None:
    assert "tiles.example" not in Client().get(page)["Content-Security-Policy"]
    settings.BASEMAP_URL = "https://tiles.example/{z}/{x}/{y}.png"
    answer = Client().get(page)
    assert "img-src 'self' data: https://tiles.example;" in answer["Content-Security-Policy"]
    assert "https://tiles.example/{z}" in answer.content.decode()


def test_bucket_may_be_asked_by_every_page(bucket: str, api: APIClient, key: ApiKey) -> None:
    page = api.get(f"{URL}/{with_preview(key).pk}").json()["result"]["viewer_url"]
    for answer in (Client().get(page), Client().get("/admin/login/")):
        policy = answer["Content-Security-Policy"]
        assert f"img-src 'self' data: {bucket};" in policy
        assert f"connect-src 'self' {bucket};" in policy
