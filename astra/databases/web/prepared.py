"""Statements whose plans the server keeps."""

from typing import Any, Self

import psycopg


class PreparedCursor(psycopg.Cursor[Any]):
    """Has the server plan each statement once for a connection, which takes it longer than to answer."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, **{**options, "prepare": True})
