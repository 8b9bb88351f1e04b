"""Jobs in every state, and what is stored of them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connections

from accounts.models import Account, ApiKey
from astra import celery_app
from processing.models import Job
from processing.results import storage_key
from processing.stored_files import stored_files
from tests.processing.clock import Clock

SCENE = "sentinel-2:S2B_MSIL2A_20250115T184929"
EXAMPLE: dict[str, Any] = {"operation": "ndvi", "scene_ids": [SCENE], "params": {"colormap": "rdylgn"}}
AWAY = {"code": "PROVIDER_UNAVAILABLE", "message": "The catalogue is away.", "details": {"retryable": True}}
CONTENT = bytes(range(256)) * 8
ERROR = {"code": "SCENE_UNREADABLE", "message": "The scene cannot be read.", "details": {"retryable": False}}
URL = "/api/v1/process"
HOOK = "https://example.com/hook"
QUEUES = ("rasters", "webhooks", "control")

T = TypeVar("T")


def another_key(name: str = "Another account") -> tuple[ApiKey, str]:
    """A key of another account, and its text."""
    return ApiKey.objects.issue(Account.objects.create(name=name), "test")


def queued(key: ApiKey, **fields: Any) -> Job:
    """A job that waits for a worker. `fields` are those of a submit."""
    wanted = {**EXAMPLE, "webhook_url": None, "origin": "http://testserver", **fields}
    return Job.objects.submit(key, **wanted)


def claim(job: Job, message: str = "a-message") -> Job | None:
    """The job as a worker has it that claimed it, if it was due. None if another worker was faster."""
    due = Job.objects.due().filter(pk=job.pk).first()
    return due if due is not None and due.begin_attempt(message) else None


def claimed(key: ApiKey, **fields: Any) -> Job:
    """A job that a worker has claimed."""
    return claim_again(queued(key, **fields))


def completed(key: ApiKey, content: bytes = CONTENT, **fields: Any) -> Job:
    """A completed job with its file in the storage."""
    job = claimed(key, **fields)
    name = default_storage.save(storage_key(job, job.claims), ContentFile(content))
    result = {
        "file:size": len(content),
        "file:checksum": "1220" + sha256(content).hexdigest(),
        "proj:code": "EPSG:32610",
        "proj:shape": [2048, 2048],
        "gsd": 10.0,
        "statistics": {"mean": 0.5},
    }
    assert job.complete(result=result, result_key=name, warnings=[])
    return job


def failed(key: ApiKey, **fields: Any) -> Job:
    job = claimed(key, **fields)
    assert job.fail(ERROR)
    return job


def finish(job: Job) -> bool:
    """Complete a job without a file."""
    result = {"file:size": 1, "file:checksum": "1220"}
    return job.complete(result=result, result_key=f"jobs/{job.claims}.tif", warnings=[])


def claim_again(job: Job) -> Job:
    """The next attempt of a queued job."""
    again = claim(job)
    assert again is not None
    return again


def lose_worker(job: Job, clock: Clock) -> Job:
    """The job after its lease has run out without a sign of life."""
    clock.move(minutes=11)
    (lost,) = Job.objects.lost()
    assert lost == job
    return lost


def row(job: Job) -> dict[str, Any]:
    """All columns of a job as they are stored now."""
    return dict(Job.objects.filter(pk=job.pk).values().get())


def error_of(job: Job) -> dict[str, Any]:
    """The error of a job that has failed."""
    stored = row(job)
    assert stored["status"] == "failed"
    assert set(stored["error"]) == {"code", "message", "details"}
    return dict(stored["error"])


def stored_keys() -> list[str]:
    """The keys of all files in the storage, whichever kind it is."""
    return sorted(file.key for file in stored_files())


def keys_with_pictures(job: Job) -> list[str]:
    """The keys of everything that is stored for a completed NDVI job."""
    key = row(job)["result_key"]
    return [key, *(f"{key.rpartition('/')[0]}/{name}.png" for name in ("preview", "thumbnail"))]


def only_file(folder: Path) -> Path:
    """A copy of the one COG in the storage."""
    (key,) = (key for key in stored_keys() if key.endswith(".tif"))
    copy = folder / "copy.tif"
    copy.write_bytes(default_storage.open(key).read())
    return copy


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def verbs(job: Job) -> list[str]:
    """The verbs of a job's timeline, in order."""
    return list(job.events.values_list("verb", flat=True))


def take_messages() -> list[str]:
    """Takes all messages that wait for a worker: the names of their tasks, those for rasters first."""
    with celery_app.connection_for_read() as connection:
        return [name for queue in QUEUES for name in _taken(celery_app.amqp.queues[queue].bind(connection))]


def _taken(queue: Any) -> list[str]:
    queue.declare()
    waiting = iter(lambda: queue.get(no_ack=True), None)
    return [message.headers["task"].rpartition(".")[2] for message in waiting]


def all_at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """The results of `work(0)`, `work(1)`, ... in threads that begin together."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        try:
            start.wait(30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
