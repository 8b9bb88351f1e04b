"""The first page says in ten seconds whether all is well."""

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey
from processing.models import Job, WebhookDelivery
from processing.models.signs import Sign
from tests.processing.admin.staff import page
from tests.processing.jobs import HOOK, completed, failed, queued

PATH = "/admin/"


def figures(client: Client) -> dict[str, tuple[str, bool]]:
    """Each number, and whether somebody has to act."""
    front = client.get(PATH).context["front"]
    return {each.title: (each.value, each.is_bad) for each in [*front["figures"], *front["parts"]]}


def test_jobs_are_counted_by_what_they_are_at(admin_client: Client, key: ApiKey) -> None:
    for _ in range(3):
        queued(key)
    assert Job.objects.due().first().begin_attempt("a-message", "w1@host")  # type: ignore[union-attr]
    completed(key)
    failed(key)
    shown = figures(admin_client)
    assert [shown[name] for name in ("queued", "running", "failed today")] == [("2", False), ("1", False), ("1", True)]
    assert shown["oldest waiting"][0].endswith(" s")


def test_workers_are_shown_with_what_they_do(admin_client: Client, key: ApiKey) -> None:
    Sign.objects.give("worker:w1@host", processes=2)
    Sign.objects.give("worker:w2@host", processes=2)
    Sign.objects.filter(name="worker:w2@host").update(at=timezone.now() - timedelta(minutes=5))
    assert queued(key).begin_attempt("a-message", "w1@host")
    workers = admin_client.get(PATH).context["front"]["workers"]
    assert [(worker.name, [job.operation for job in worker.jobs]) for worker in workers] == [("w1@host", ["ndvi"])]


def test_page_says_if_nothing_is_worked_on(admin_client: Client) -> None:
    assert "nothing is worked on" in page(admin_client, PATH)
    assert figures(admin_client)["last sweep"] == ("never", True)


def test_state_of_all_parts_is_shown(admin_client: Client, key: ApiKey) -> None:
    failed(key, webhook_url=HOOK)
    Sign.objects.give("sweep")
    shown = figures(admin_client)
    assert shown["database"] == ("ok", False)
    assert shown["last sweep"][1] is False
    assert shown["webhooks pending"] == (str(WebhookDelivery.objects.count()), False)
    assert {"broker", "storage", "results kept"} <= set(shown)


def test_chart_shows_when_jobs_ended(admin_client: Client, key: ApiKey) -> None:
    completed(key)
    failed(key)
    chart = admin_client.get(PATH).context["front"]["hours"]
    assert sorted(box.part.kind for box in chart.boxes) == ["completed", "failed"]


def test_page_takes_few_statements(admin_client: Client, key: ApiKey) -> None:
    failed(key)
    page(admin_client, PATH)
    with CaptureQueriesContext(connection) as captured:
        page(admin_client, PATH)
    assert len(captured) <= 12
