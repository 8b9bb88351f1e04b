"""Statements whose plans the server keeps."""

from typing import Any, Self

import psycopg


class PreparedCursor(psycopg.Cursor[Any]):
    """Has the server plan each statement once for a connection, as planning takes it longer than answering."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        connection.prepare_threshold = 1  # Django's None forbids it; its own cursors prepare nothing all the same

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, **{**options, "prepare": True})
