"""Staff see why a job failed, and retry it once the cause is gone."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests
from django.contrib.admin.utils import quote  # an underscore stands for something in the admin's addresses

from tests.servers import HttpServer, RangeServer, wait_until

from .conftest import NewService, Service
from .instances import assert_whole_result, live_key, rows, submit_live, verbs, write_scene


class Catalogue(HttpServer):
    """A STAC API without items until `item` is set."""

    def __init__(self) -> None:
        self.item: Mapping[str, Any] | None = None
        super().__init__(_CatalogueHandler)


class _CatalogueHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        owner: Catalogue = self.server.owner  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        features = [owner.item] if owner.item else []
        self._answer(200, {"type": "FeatureCollection", "features": features, "links": []})

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class Staff(requests.Session):
    """A browser session in the instance's admin."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.admin = f"{service.url}/admin"
        password = (service.data / "admin_password").read_text()
        answer = self.send_form("/login/", username="admin", password=password, next="/admin/")
        assert answer.url == f"{self.admin}/", "not logged in"

    def page(self, path: str) -> str:
        answer = self.get(self.admin + path, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send_form(self, path: str, **fields: str) -> requests.Response:
        """Send a form as a browser does: get the page, then post the fields with its token."""
        self.page(path)
        token = {"csrfmiddlewaretoken": self.cookies["csrftoken"]}
        answer = self.post(self.admin + path, data={**fields, **token}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer

    def retry(self, job_id: str) -> str:
        answer = self.send_form("/processing/job/", action="retry", _selected_action=job_id, index="0")
        return answer.text


@dataclass(frozen=True, kw_only=True)
class World:
    """An instance, and the catalogue and files that its live keys read."""

    service: Service
    catalogue: Catalogue
    scenes: RangeServer


@pytest.fixture(scope="module")
def world(new_service: NewService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as servers:
        catalogue = servers.enter_context(Catalogue())
        scenes = servers.enter_context(RangeServer(tmp_path_factory.mktemp("scenes")))
        settings = {"ASTRA_PRIVATE_HOSTS": "127.0.0.1", "ASTRA_SENTINEL2_STAC": catalogue.url}
        yield World(service=new_service(settings).start(), catalogue=catalogue, scenes=scenes)


def test_failed_job_shows_its_error_and_timeline(service: Service) -> None:
    unknown = "sentinel-2:S2A_MSIL2A_20200101T100000"
    job = service.wait_for(service.submit(scene_ids=[unknown])["job_id"])
    assert job["error"]["code"] == "SCENE_NOT_FOUND"
    staff = Staff(service)

    assert job["job_id"] in staff.page("/processing/job/?status__exact=failed")
    assert job["job_id"] not in staff.page("/processing/job/?status__exact=completed")
    page = staff.page(f"/processing/job/{quote(job['job_id'])}/change/")

    assert "SCENE_NOT_FOUND" in page
    assert f"the sandbox, which has no scene {unknown}" in page
    timeline = page[page.index("events-group") :]
    assert timeline.index("submit") < timeline.index("claim") < timeline.index("fail")


def test_job_that_failed_completes_once_staff_retry_it(world: World) -> None:
    job_id = submit_live(world.service, live_key(world.service))
    assert world.service.wait_for(job_id)["error"]["code"] == "SCENE_NOT_FOUND"
    assert verbs(world.service, job_id) == ["claim", "fail"]
    world.catalogue.item = write_scene(world.scenes.folder, world.scenes.url)

    Staff(world.service).retry(job_id)

    wait_until(lambda: world.service.poll(job_id)["status"] == "completed", 60, "completion")
    job = world.service.poll(job_id)
    assert job["error"] is None
    assert verbs(world.service, job_id) == ["claim", "fail", "retry", "claim", "complete"]
    actors = rows(world.service, "SELECT actor FROM processing_jobevent WHERE job_id = ? AND verb = 'retry'", job_id)
    assert actors == [("admin",)]
    assert_whole_result(world.service, job)


def test_job_that_did_not_fail_is_left_alone(service: Service) -> None:
    job = service.wait_for(service.submit()["job_id"])

    Staff(service).retry(job["job_id"])

    assert service.poll(job["job_id"]) == job
    assert verbs(service, job["job_id"]) == ["claim", "complete"]
