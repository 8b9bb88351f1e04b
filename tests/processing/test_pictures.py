"""Pictures live as the result does: stored, linked, served, deleted with it, and never the reason for a failure."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.execution import execute
from processing.models import Job
from processing.results import picture_key
from processing.tasks import expire_results
from tests.processing.conftest import use_storage
from tests.processing.jobs import URL, claimed, completed, row, stored_keys
from tests.processing.storages import _Storage
from tests.s3 import s3_storage

PNG = b"\x89PNG\r\n\x1a\n as it was drawn"


class KeepingNoPicture(_Storage):  # type: ignore[misc]
    """Takes files, but no picture."""

    def _save(self, name: str, content: Any) -> str:
        if name.endswith(".png"):
            super()._save(name, ContentFile(b"half"))
            raise OSError("503 Slow Down")
        return str(super()._save(name, content))


def with_preview(key: ApiKey) -> Job:
    job = completed(key)
    result = {**(job.result or {}), "pictures": ["preview"], "bbox": [10.0, 50.0, 11.0, 51.0]}
    Job.objects.filter(pk=job.pk).update(result=result)
    default_storage.save(picture_key(job.result_key, "preview"), ContentFile(PNG))
    job.refresh_from_db()
    return job


def test_result_names_its_preview_and_its_map(api: APIClient, client: Client, key: ApiKey, storage: Path) -> None:
    job = with_preview(key)
    result = api.get(f"{URL}/{job.pk}").json()["result"]
    assert "pictures" not in result
    picture = client.get(result["preview_url"])
    assert (picture.status_code, picture["Content-Type"], picture.getvalue()) == (200, "image/png", PNG)
    assert "Content-Disposition" not in picture
    page = client.get(result["viewer_url"])
    assert (page.status_code, page["Content-Type"].partition(";")[0]) == (200, "text/html")


def test_older_result_has_neither(api: APIClient, key: ApiKey) -> None:
    result = api.get(f"{URL}/{completed(key).pk}").json()["result"]
    assert (result["preview_url"], result["viewer_url"]) == (None, None)


def test_signing_anew_is_no_change(api: APIClient, key: ApiKey, s3_url: str, settings: Settings) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": s3_storage(s3_url)}
    job = with_preview(key)
    first = api.get(f"{URL}/{job.pk}")
    again = api.get(f"{URL}/{job.pk}", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    href = first.json()["result"]["preview_url"]
    assert urlsplit(href).netloc == urlsplit(s3_url).netloc
    assert requests.get(href, timeout=10).content == PNG
    assert urlsplit(first.json()["result"]["viewer_url"]).netloc == "testserver"


def test_discarded_result_takes_its_pictures_along(api: APIClient, client: Client, key: ApiKey, storage: Path) -> None:
    job = with_preview(key)
    links = api.get(f"{URL}/{job.pk}").json()["result"]
    result = api.delete(f"{URL}/{job.pk}/result").json()["result"]
    assert (result["preview_url"], result["viewer_url"]) == (None, None)
    for name in ("preview_url", "viewer_url"):
        assert client.get(links[name]).status_code == 410
    expire_results()
    assert stored_keys() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sandbox_of_jobs")
def test_picture_that_cannot_be_stored_is_left_out(
    key: ApiKey, settings: Settings, storage: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STORAGES = use_storage(settings, f"{__name__}.KeepingNoPicture", storage)
    job = claimed(key)
    execute(job)
    stored = row(job)
    assert (stored["status"], stored["result"]["pictures"]) == ("completed", [])
    assert stored_keys() == [stored["result_key"]]
    assert "preview.png is left out" in caplog.text
