"""Django's wrapper of connections, under the name that it looks for."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from .impatient import server


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
