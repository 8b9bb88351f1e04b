"""Connections of web processes to PostgreSQL, which do not wait for a server that has fallen silent."""

from typing import Any

import psycopg

# Above any statement that a caller waits for. The server's own statement_timeout is no help once the server is silent.
_PATIENCE = 3.0


class ImpatientConnection(psycopg.Connection[Any]):
    """Raises OperationalError if an answer takes too long, and is closed then, as that answer may still come."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, _PATIENCE if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status is psycopg.pq.TransactionStatus.ACTIVE:
                self.close()
            raise
