"""The place of a new job is found by the indexes of the queue, however many jobs have ended."""

import pytest
from django.db import connection

from processing.models.job_queue import _PLACE

pytestmark = pytest.mark.django_db


def plan() -> str:
    """That of any account, as PostgreSQL keeps it for a connection; SQLite makes a new one each time."""
    statement = _PLACE._statement()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # which an empty table makes cheap
            cursor.execute("EXPLAIN (GENERIC_PLAN) " + statement._sql.replace("%s", "$1").replace("%%", "%"))
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement._sql}", statement._parameters)
        return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.parametrize("index", ["jobs_queued_of_account", "jobs_parked", "jobs_leased"])
def test_partial_index_is_used(index: str) -> None:
    assert index in plan()
