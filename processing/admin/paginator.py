"""Pages of a list that may have a million rows, which nobody counts one by one."""

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import cached_property

# Rows are counted up to here. What lies beyond this many pages is found by a filter, not by turning pages.
MOST_COUNTED = 10_000
_MOST_PAGES = 200


class EstimatingPaginator(Paginator):
    """Of all rows the number is the database's estimate. Of those that a filter leaves, 10,001 means more than that."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        estimate = 0 if rows.query.where else _estimate(rows.model._meta.db_table)
        return estimate if estimate > MOST_COUNTED else rows.order_by()[: MOST_COUNTED + 1].count()

    @cached_property
    def num_pages(self) -> int:
        return min(super().num_pages, _MOST_PAGES)


def _estimate(table: str) -> int:
    """By PostgreSQL's statistics; 0 where there are none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
