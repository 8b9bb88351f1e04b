"""Links to results in a real S3 server."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing import links
from processing.models import Job
from tests.processing.jobs import CONTENT, URL, completed
from tests.s3 import s3_storage


@pytest.fixture
def job(s3_url: str, settings: Settings, key: ApiKey) -> Job:
    settings.STORAGES = {**settings.STORAGES, "default": s3_storage(s3_url)}
    return completed(key)


def test_download_is_named_for_what_it_shows(api: APIClient, job: Job) -> None:
    href = api.get(f"{URL}/{job.pk}").json()["result"]["href"]
    answer = requests.get(href, timeout=10)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="ndvi_{job.pk}.tif"'
    assert urlsplit(href).path.endswith("/ndvi_output.tif")


def test_name_cannot_be_changed(api: APIClient, job: Job) -> None:
    href = api.get(f"{URL}/{job.pk}").json()["result"]["href"]
    place, _, query = href.partition("?")
    assert job.pk in query
    assert requests.get(f"{place}?{query.replace(job.pk, 'other')}", timeout=10).status_code == 403


def test_link_is_signed_anew_once_a_minute(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[Any] = []
    now, storage = [6000.0], storages["default"]
    sign = storage.url

    def url(*of: Any) -> str:
        signed.append(of)
        return str(sign(*of))

    monkeypatch.setattr(links, "monotonic", lambda: now[0])
    monkeypatch.setattr(storage, "url", url)
    first = links.link(job, "")
    now[0] += 59
    assert links.link(job, "") == first
    assert len(signed) == 1
    now[0] += 1
    links.link(job, "")
    assert len(signed) == 2
    seconds = [end for *_, end in signed]
    assert job.expires_at is not None
    assert seconds[0] == pytest.approx((job.expires_at - timezone.now()).total_seconds(), abs=10)
