"""The numbers for Prometheus, read as Prometheus reads them."""

import math
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

import astra
from accounts.models import ApiKey
from processing.models import Job
from processing.models.signs import Sign
from tests.processing.clock import Clock
from tests.processing.jobs import AWAY, HOOK, claimed, completed, failed, lose_worker, queued

from .ages import aged

Numbers = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _broker(broker: None) -> None:
    """All tests of this file have one."""


def numbers(client: Client, name: str) -> Numbers:
    """The samples of one metric by the values of their labels, in the order of the labels' names."""
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    assert len({tuple(sample.labels.values()) for sample in samples}) == len(samples)
    return {tuple(sample.labels.values()): sample.value for sample in samples}


def number(client: Client, name: str) -> float:
    return numbers(client, name)[()]


def test_empty_service_has_no_jobs_and_no_signs(client: Client, db: None) -> None:
    assert numbers(client, "astra_info") == {(astra.__version__,): 1}
    assert numbers(client, "astra_jobs") == {}
    assert numbers(client, "astra_workers") == {}
    assert number(client, "astra_oldest_due_job_seconds") == 0
    assert number(client, "astra_last_sweep_seconds") == math.inf
    assert number(client, "astra_broker_up") == 1


def test_broker_that_is_silent_is_down(client: Client, db: None, silent_broker: None) -> None:
    assert number(client, "astra_broker_up") == 0


def test_signs_are_ages_and_numbers_of_workers(client: Client, all_well: None) -> None:
    aged(Sign.objects.get(name="sweep"), "at", seconds=45)
    assert 45 <= number(client, "astra_last_sweep_seconds") < 54
    assert numbers(client, "astra_workers") == {("rasters",): 1}


def test_jobs_that_are_not_finished_are_counted_by_status_and_operation(client: Client, key: ApiKey) -> None:
    queued(key)
    aged(queued(key), "due_at", seconds=30)
    claimed(key, operation="change_detection")
    claimed(key).release(AWAY, timedelta(hours=1))
    completed(key)
    failed(key)
    assert numbers(client, "astra_jobs") == {("ndvi", "queued"): 3, ("change_detection", "processing"): 1}
    assert numbers(client, "astra_jobs_due") == {("ndvi",): 2}
    parked = aged_and_parked(key)
    assert numbers(client, "astra_jobs_due") == {("ndvi",): 2}, "a parked job waits for another of its account"
    parked.delete()
    assert 30 <= number(client, "astra_oldest_due_job_seconds") < 39


def aged_and_parked(key: ApiKey) -> Job:
    job = queued(key)
    Job.objects.filter(pk=job.pk).update(parked=True)
    aged(job, "due_at", hours=2)
    return job


def test_jobs_that_ended_are_counted_for_an_hour(client: Client, key: ApiKey) -> None:
    completed(key)
    failed(key, operation="change_detection")
    aged(completed(key), "completed_at", minutes=61)
    assert numbers(client, "astra_jobs_finished_last_hour") == {
        ("ndvi", "completed"): 1,
        ("change_detection", "failed"): 1,
    }


def test_what_went_wrong_is_counted_by_reason_for_an_hour(client: Client, key: ApiKey) -> None:
    failed(key)
    claimed(key).release(AWAY, timedelta(0))
    completed(key)
    old = failed(key)
    aged(old.events.get(verb="fail"), "at", minutes=61)
    assert numbers(client, "astra_job_events_last_hour") == {
        ("SCENE_UNREADABLE", "fail"): 1,
        ("PROVIDER_UNAVAILABLE", "release"): 1,
    }
    assert number(client, "astra_leases_lost_last_hour") == 0


def test_lost_workers_are_counted(client: Client, key: ApiKey, clock: Clock) -> None:
    assert lose_worker(claimed(key), clock).give_up_for_lost()
    assert number(client, "astra_leases_lost_last_hour") == 1


def test_webhooks_are_counted_by_state(client: Client, key: ApiKey) -> None:
    due, later, delivered, given_up = (failed(key, webhook_url=HOOK).deliveries.get() for _ in range(4))
    aged(due, "next_attempt_at", seconds=20)
    aged(later, "next_attempt_at", seconds=-600)
    type(delivered).objects.filter(pk=delivered.pk).update(status="delivered")
    type(given_up).objects.filter(pk=given_up.pk).update(status="given up")
    assert numbers(client, "astra_webhooks") == {("pending",): 2, ("given up",): 1}
    assert 20 <= number(client, "astra_oldest_due_webhook_seconds") < 29
    assert number(client, "astra_webhooks_delivered_last_hour") == 1


def test_durations_are_those_of_completed_jobs(client: Client, key: ApiKey) -> None:
    for seconds in range(101):
        took(completed(key), waited=10, ran=seconds)
    took(failed(key), waited=0, ran=10_000)
    found = numbers(client, "astra_job_seconds_last_hour")
    assert {labels: round(value, 2) for labels, value in found.items()} == {
        ("ndvi", "wait", "0.5"): 10,
        ("ndvi", "wait", "0.95"): 10,
        ("ndvi", "wait", "0.99"): 10,
        ("ndvi", "run", "0.5"): 50,
        ("ndvi", "run", "0.95"): 95,
        ("ndvi", "run", "0.99"): 99,
        ("ndvi", "total", "0.5"): 60,
        ("ndvi", "total", "0.95"): 105,
        ("ndvi", "total", "0.99"): 109,
    }


def took(job: Job, waited: float, ran: float) -> None:
    started = F("completed_at") - timedelta(seconds=ran)
    Job.objects.filter(pk=job.pk).update(attempt_started_at=started, created_at=started - timedelta(seconds=waited))


def test_only_completed_job_is_its_own_median(client: Client, key: ApiKey) -> None:
    took(completed(key), waited=0, ran=7)
    assert numbers(client, "astra_job_seconds_last_hour")["ndvi", "run", "0.5"] == 7


def test_refusals_are_counted_by_code(api: APIClient, client: Client) -> None:
    def refused() -> dict[str, float]:
        return {code: count for (code, _), count in numbers(client, "astra_refusals_total").items()}

    before = refused().get("NOT_FOUND", 0)
    client.get("/nothing")
    api.get("/api/v1/process/job_1")
    assert refused()["NOT_FOUND"] == before + 2
