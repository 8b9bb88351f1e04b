"""The service's numbers for Prometheus, read from the database at each scrape, so that every process says the same."""

from collections.abc import Iterable, Iterator
from itertools import chain

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from astra import __version__
from astra.broker import broker
from astra.refusals import REFUSALS

from ..models.signs import Sign
from ..models.status import Status
from . import last_hour
from .checks import broker_answers
from .present import Signs, Waiting, Webhooks, by_operation, oldest_due_seconds, waiting_jobs

Sample = tuple[tuple[str, ...], float]


class State(Collector):
    def collect(self) -> Iterator[Metric]:
        yield _gauge("astra_info", "Version of this process", ("version",), [((__version__,), 1)])
        yield from chain(
            _jobs(waiting_jobs()), _webhooks(Webhooks.read()), _hour(), _signs(Signs.of(Sign.objects.ages()))
        )
        yield _gauge("astra_broker_up", "1 if the broker answered within a second", (), [((), broker_answers())])
        paused = "1 while this process sends no messages, as the broker failed lately"
        yield _gauge("astra_messages_paused", paused, (), [((), broker.is_open)])


def exposition() -> bytes:
    """All metrics in Prometheus' text format. Raises Django's database errors."""
    registry = CollectorRegistry()
    registry.register(State())
    return generate_latest(registry) + generate_latest(REFUSALS)


def _jobs(waiting: list[Waiting]) -> Iterator[Metric]:
    queued = [(("queued", each.operation), each.queued) for each in waiting]
    running = [(("processing", operation), count) for operation, count in by_operation(Status.PROCESSING).items()]
    yield _gauge("astra_jobs", "Jobs that are not finished", ("status", "operation"), [*queued, *running])
    due = [((each.operation,), each.due) for each in waiting]
    yield _gauge("astra_jobs_due", "Queued jobs that may be claimed now", ("operation",), due)
    oldest = oldest_due_seconds(waiting) or 0
    yield _gauge("astra_oldest_due_job_seconds", "How long the oldest due job has waited", (), [((), oldest)])


def _webhooks(webhooks: Webhooks) -> Iterator[Metric]:
    counts = [(("pending",), webhooks.pending), (("given up",), webhooks.given_up)]
    yield _gauge("astra_webhooks", "Webhooks still to be delivered, and all that were given up", ("state",), counts)
    off = [((), webhooks.receivers_off)]
    yield _gauge("astra_webhook_receivers_switched_off", "Receivers that only failed for five days", (), off)
    oldest = [((), webhooks.oldest_due_seconds)]
    yield _gauge("astra_oldest_due_webhook_seconds", "How long the oldest due webhook has waited", (), oldest)
    delivered = last_hour.delivered_webhooks()
    yield _gauge("astra_webhooks_delivered_last_hour", "Of jobs that ended in this hour", (), [((), delivered)])


def _hour() -> Iterator[Metric]:
    finished, labels = last_hour.finished_jobs(), ("status", "operation")
    yield _gauge("astra_jobs_finished_last_hour", "Jobs that ended", labels, finished.items())
    reasons = last_hour.reasons()
    events, meaning = "astra_job_events_last_hour", "Attempts that failed, retries, cancellations, by reason"
    yield _gauge(events, meaning, ("verb", "reason"), reasons.counts.items())
    lost = [((), reasons.leases_lost)]
    yield _gauge("astra_leases_lost_last_hour", "Attempts whose worker gave no sign of life", (), lost)
    yield _durations()


def _durations() -> Metric:
    samples = (
        ((each.operation, each.part, quantile), seconds)
        for each in last_hour.durations()
        for quantile, seconds in each.by_quantile.items()
    )
    labels = ("operation", "part", "quantile")
    return _gauge("astra_job_seconds_last_hour", "Durations of completed jobs", labels, samples)


def _signs(signs: Signs) -> Iterator[Metric]:
    age = float("inf") if signs.sweep_seconds is None else signs.sweep_seconds
    yield _gauge("astra_last_sweep_seconds", "Age of the last sweep; +Inf if there was none", (), [((), age)])
    workers = [((kind,), count) for kind, count in signs.workers.items()]
    yield _gauge("astra_workers", "Workers that gave a sign of life in the last minute", ("kind",), workers)


def _gauge(name: str, meaning: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, number in samples:
        family.add_metric(values, float(number))
    return family
