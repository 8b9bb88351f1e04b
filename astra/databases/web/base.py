"""Django's wrapper of connections, under the name that it looks for."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from .impatient import server
from .prepared import PreparedCursor


class DatabaseWrapper(base.DatabaseWrapper):
    """Refuses at once while the server is known to be away, so that an outage holds one caller and no thread more."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not server.allows():
            raise psycopg.OperationalError("the database has just failed, and is not asked yet")
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            server.note_refusal()
            raise

    def prepared_cursor(self) -> Any:
        """A cursor for statements that are asked again and again with other values: the server keeps their plans.

        It keeps them for one connection. Behind a pooler, which changes connections, this is an ordinary cursor.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = PreparedCursor(self.connection) if self.connection.is_direct else self.create_cursor()
            return self._prepare_cursor(cursor)  # type: ignore[attr-defined]  # the stubs leave it out
