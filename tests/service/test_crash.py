"""Killed processes are restarted, and no job is lost or done twice."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import requests

from tests.servers import RangeServer, Receiver, StacServer, wait_until

from .conftest import NewService, Service
from .instances import COLLECTION, assert_whole_result, live_key, submit_live, verbs, write_scene

RASTER_WORKER = "celery -A astra worker --loglevel INFO -Q rasters"
STOP_GRACE = 1
_SLOWLY = 0.4  # seconds before each part of the scene is sent


@dataclass(frozen=True, kw_only=True)
class Slow:
    """An instance and the server of its only scene, which can be made slow."""

    service: Service
    scenes: RangeServer
    live_key: str

    def start_job(self) -> str:
        """Submit a job and wait until a worker has begun, with seconds of work left."""
        self.scenes.delay = _SLOWLY
        job_id = submit_live(self.service, self.live_key)
        has_begun = lambda: (job := self.service.poll(job_id))["status"] == "processing" and job["progress"]  # noqa: E731
        assert wait_until(has_begun, 60, "progress") < 60
        return job_id


@pytest.fixture(scope="module")
def slow(new_service: NewService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    with ExitStack() as servers:
        scenes = servers.enter_context(RangeServer(tmp_path_factory.mktemp("scenes")))
        catalogue = servers.enter_context(StacServer(tmp_path_factory.mktemp("catalogue")))
        root = catalogue.serve(COLLECTION, [write_scene(scenes.folder, scenes.url)])
        service = new_service(
            {
                "ASTRA_LEASE_SECONDS": "2",
                "ASTRA_STOP_GRACE": str(STOP_GRACE),
                "ASTRA_SWEEP_SECONDS": "0.3",
                "ASTRA_EXPIRY_SWEEP_SECONDS": "0.5",
                "ASTRA_WEBHOOK_DELAYS": "0.2,0.4,0.8,1,1",
                "ASTRA_PRIVATE_HOSTS": "127.0.0.1",
                "ASTRA_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1",
                "ASTRA_SENTINEL2_STAC": root,
            }
        ).start()
        yield Slow(service=service, scenes=scenes, live_key=live_key(service))


def running(service: Service, words: str) -> set[int]:
    """Ids of the processes whose command contains `words`."""
    return {pid for pid, command in service.processes().items() if words in command}


def leader(pids: set[int]) -> int:
    """The leader of their process group."""
    (found,) = {pid for pid in pids if os.getpgid(pid) == pid}
    return found


def wait_until_replaced(service: Service, words: str, old: set[int]) -> None:
    """Wait until no old process runs and as many new ones do."""
    replaced = lambda: len(now := running(service, words)) >= len(old) and not now & old  # noqa: E731
    wait_until(replaced, 60, f"another {words}")


def assert_done_once(service: Service, job_id: str) -> None:
    """The lost job was claimed again, and has one end and one file."""
    job = service.wait_for(job_id)
    assert job["status"] == "completed", job["error"]
    happened = verbs(service, job_id)
    assert happened.count("claim") >= 2
    assert happened.count("complete") == 1
    assert happened[-1] == "complete"
    assert_whole_result(service, job)
    wait_until(lambda: not list((service.data / "work").iterdir()), 30, "an empty work folder")
    assert verbs(service, job_id) == happened


def test_job_of_a_killed_worker_completes_once(slow: Slow) -> None:
    job_id = slow.start_job()
    workers = running(slow.service, RASTER_WORKER)
    reached = slow.service.poll(job_id)["progress"]

    os.killpg(leader(workers), signal.SIGKILL)
    slow.scenes.delay = 0

    wait_until_replaced(slow.service, RASTER_WORKER, workers)
    assert slow.service.poll(job_id)["progress"] >= reached
    assert_done_once(slow.service, job_id)


def test_job_of_a_killed_pool_process_completes_once(slow: Slow) -> None:
    job_id = slow.start_job()
    workers = running(slow.service, RASTER_WORKER)
    master = leader(workers)
    (pool_process,) = workers - {master}

    os.kill(pool_process, signal.SIGKILL)
    slow.scenes.delay = 0

    assert_done_once(slow.service, job_id)
    assert leader(running(slow.service, RASTER_WORKER)) == master


def test_job_submitted_while_the_broker_is_down_completes(slow: Slow) -> None:
    brokers = running(slow.service, "valkey-server")

    os.kill(leader(brokers), signal.SIGKILL)
    began = time.monotonic()
    job_id = slow.service.submit()["job_id"]

    assert time.monotonic() - began < 5
    assert slow.service.wait_for(job_id)["status"] == "completed"
    assert verbs(slow.service, job_id) == ["claim", "complete"]
    wait_until_replaced(slow.service, "valkey-server", brokers)


def test_job_completes_although_the_broker_dies(slow: Slow) -> None:
    brokers = running(slow.service, "valkey-server")
    job_id = slow.start_job()

    os.kill(leader(brokers), signal.SIGKILL)
    wait_until_replaced(slow.service, "valkey-server", brokers)
    slow.scenes.delay = 0

    job = slow.service.wait_for(job_id)
    assert job["status"] == "completed", job["error"]
    assert verbs(slow.service, job_id) == ["claim", "complete"]
    assert_whole_result(slow.service, job)
    assert slow.service.wait_for(slow.service.submit()["job_id"])["status"] == "completed"


def test_stop_ends_a_worker_within_its_grace_and_the_job_goes_on_at_the_next_start(slow: Slow) -> None:
    slow.scenes.delay = 5 * STOP_GRACE
    job_id = submit_live(slow.service, slow.live_key)
    wait_until(lambda: slow.service.poll(job_id)["status"] == "processing", 30, "a worker")

    began = time.monotonic()
    assert slow.service.stop() == 0
    assert time.monotonic() - began < STOP_GRACE + 10
    assert slow.service.processes() == {}

    slow.scenes.delay = 0
    slow.service.start()
    assert_done_once(slow.service, job_id)


def test_killed_guard_is_replaced(slow: Slow) -> None:
    guards = running(slow.service, "astra.embedded.guard")

    os.kill(leader(guards), signal.SIGKILL)

    wait_until_replaced(slow.service, "astra.embedded.guard", guards)


def test_killed_beat_comes_back_and_sweeps(slow: Slow) -> None:
    beats = running(slow.service, "celery -A astra beat")

    os.kill(leader(beats), signal.SIGKILL)

    with Receiver([500, 204]) as receiver:  # the second attempt is the sweep's work
        slow.service.submit(webhook_url=receiver.hook)
        wait_until(lambda: len(receiver.received) == 2, 60, "the second attempt")
    wait_until_replaced(slow.service, "celery -A astra beat", beats)


def test_killed_web_server_comes_back_with_new_workers(slow: Slow) -> None:
    servers = running(slow.service, "gunicorn")
    assert len(servers) > 1, "one leader and its workers"

    os.kill(leader(servers), signal.SIGKILL)

    wait_until_replaced(slow.service, "gunicorn", servers)
    wait_until(lambda: answers(slow.service), 30, "the web server")
    assert slow.service.wait_for(slow.service.submit()["job_id"])["status"] == "completed"


def answers(service: Service) -> bool:
    try:
        return requests.get(f"{service.url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False
