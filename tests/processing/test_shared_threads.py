"""A job that is alone has all threads of its worker; in a backlog the jobs share them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import ApiKey
from processing import config
from processing.execution import execute
from processing.models import Job
from processing.raster import pipeline
from processing.raster.types import Config, Product, RasterJob, Tick
from tests.processing.jobs import claimed, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox_of_jobs")]


@pytest.fixture(autouse=True)
def worker_of_four(settings: Settings) -> Iterator[None]:
    """Four processes that share eight threads."""
    settings.THREADS = 8
    config.share_threads(4)
    yield
    config.share_threads(1)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Those of each job that ran."""
    noted: list[int] = []
    run = pipeline.run

    def run_noted(job: RasterJob, directory: Path, tick: Tick, asked: Config) -> Product:
        noted.append(asked.threads)
        return run(job, directory, tick, replace(asked, threads=1))

    monkeypatch.setattr(pipeline, "run", run_noted)
    return noted


@pytest.mark.parametrize(
    ("waiting", "at_work", "expected"), [(0, 0, 8), (1, 0, 4), (0, 1, 4), (1, 1, 2), (2, 1, 2), (5, 0, 2), (0, 3, 2)]
)
def test_jobs_share_the_threads_of_their_worker(
    key: ApiKey, threads: list[int], waiting: int, at_work: int, expected: int
) -> None:
    for _ in range(at_work):
        claimed(key)
    job = claimed(key)
    for _ in range(waiting):
        queued(key)
    execute(job)
    assert threads == [expected]


def test_job_of_another_worker_counts_for_nothing(key: ApiKey, threads: list[int]) -> None:
    Job.objects.filter(pk=claimed(key).pk).update(worker="rasters@elsewhere")
    execute(claimed(key))
    assert threads == [8]


def test_job_that_has_ended_counts_for_nothing(key: ApiKey, threads: list[int]) -> None:
    execute(claimed(key))
    execute(claimed(key))
    assert threads == [8, 8]


def test_more_jobs_than_threads_have_one_each(key: ApiKey, threads: list[int], settings: Settings) -> None:
    settings.THREADS = 2
    job = claimed(key)
    for _ in range(5):
        queued(key)
    execute(job)
    assert threads == [1]
