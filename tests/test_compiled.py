"""Statements whose SQL is worked out once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Value
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, ApiKey
from astra.databases.compiled import CompiledInsert, CompiledQuery
from processing.models import Job
from processing.models.jobs import job_of_caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return Account.objects.create(name="owner")


def test_row_equals_that_of_the_queryset(account: Account) -> None:
    key, _ = ApiKey.objects.issue(account, "test", "first")
    ApiKey.objects.issue(account, "live", "second")
    query = CompiledQuery(lambda pk, mode: ApiKey.objects.select_related("account").filter(pk=pk, mode=mode), int, str)
    found = query.first(key.pk, "test")
    assert found is not None
    assert {field.name: getattr(found, field.name) for field in ApiKey._meta.concrete_fields} == {
        field.name: getattr(key, field.name) for field in ApiKey._meta.concrete_fields
    }
    assert query.first(key.pk, "live") is None


def test_related_rows_come_in_the_same_statement_and_sql_is_worked_out_once(account: Account) -> None:
    _, text = ApiKey.objects.issue(account, "test")
    made: list[str] = []

    def with_account(last_four: str) -> "models.QuerySet[ApiKey]":
        made.append(last_four)
        return ApiKey.objects.select_related("account").filter(last_four=last_four)

    query = CompiledQuery(with_account, str)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        for _ in range(3):
            found = query.first(text[-4:])
            assert found is not None
            assert found.account == account
    assert len(asked) == 3
    assert len(made) == 1


def test_values_are_parameters_and_no_sql(account: Account) -> None:
    query = CompiledQuery(lambda name: Account.objects.filter(name=name), str)
    assert query.first("owner' OR '1'='1") is None
    assert query.first("owner") == account


def test_annotations_come_with_the_row(account: Account) -> None:
    query: Any = CompiledQuery(lambda pk: Account.objects.annotate(answer=Value(42)).filter(pk=pk), int)
    assert query.first(account.pk).answer == 42


def test_value_that_the_statement_does_not_hold_is_refused() -> None:
    query = CompiledQuery(lambda name: Account.objects.filter(name__startswith=name), str)
    with pytest.raises(TypeError, match="does not ask for the value"):
        query.first("own")


def test_each_thread_has_its_own_statement(account: Account) -> None:
    made: list[int] = []

    def of_account(pk: int) -> "models.QuerySet[Account]":
        made.append(threading.get_ident())
        return Account.objects.filter(pk=pk)

    query = CompiledQuery(of_account, int)
    query.first(account.pk)

    def ask() -> None:
        query.first(account.pk)
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert made == [threading.get_ident(), thread.ident]


def test_job_of_a_caller_has_its_webhook_and_is_of_its_account_and_mode(account: Account) -> None:
    key, _ = ApiKey.objects.issue(account, "test")
    job = Job.objects.submit(
        key, operation="ndvi", scene_ids=["s:a"], params={}, webhook_url="https://hooks.example/", origin="http://a"
    )
    found: Any = job_of_caller(account.pk, "test", job.pk)
    assert found == job
    assert found.last_webhook is None
    assert found.params == {}
    assert job_of_caller(account.pk, "live", job.pk) is None
    assert job_of_caller(account.pk + 1, "test", job.pk) is None
    assert job_of_caller(account.pk, "test", "job_%") is None


@pytest.fixture
def wanted(account: Account) -> dict[str, Any]:
    """What a job has that is written."""
    key, _ = ApiKey.objects.issue(account, "test")
    wanted = {"account": account, "api_key": key, "mode": "test", "attempt_limit": 3, "operation": "ndvi"}
    return {**wanted, "scene_ids": ["sentinel-2:A"], "params": {"bands": [1, None]}, "request_id": "r", "stage": ""}


def test_written_row_equals_that_of_save(wanted: dict[str, Any]) -> None:
    saved = Job.objects.create(**wanted)
    written = Job(**wanted, created_at=saved.created_at, due_at=saved.due_at)
    CompiledInsert(Job).write(written)
    of_saved, of_written = (Job.objects.filter(pk=job.pk).values().get() for job in (saved, written))
    assert {**of_written, "id": saved.pk} == of_saved


def test_computed_columns_are_worked_out_by_the_database(wanted: dict[str, Any]) -> None:
    far = timezone.now() + timedelta(days=1)
    insert = CompiledInsert(Job, due_at=Now())
    jobs = [Job(**wanted, due_at=far) for _ in range(2)]
    for job in jobs:
        insert.write(job)
    for job in jobs:
        job.refresh_from_db()
        assert job.due_at < far


def test_computed_column_with_a_parameter_is_refused(wanted: dict[str, Any]) -> None:
    insert = CompiledInsert(Job, due_at=Value(timezone.now()))
    with pytest.raises(TypeError, match="parameters of its own"):
        insert.write(Job(**wanted))


def test_row_that_breaks_a_rule_is_refused(wanted: dict[str, Any]) -> None:
    insert = CompiledInsert(Job)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert.write(Job(**wanted, progress=101))
    assert not Job.objects.exists()
