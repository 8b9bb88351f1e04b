"""Connections that do not wait for a server that has fallen silent."""

from typing import Any

import psycopg

from ...breaker import Breaker

# Above any statement that a caller waits for. The server's own statement_timeout is no help once the server is silent.
_PATIENCE = 3.0
_PAUSE_SECONDS = 1.0

# Knows whether the server answers. A pool lends connections of a silent server, so only an answer counts as success.
server = Breaker(_PAUSE_SECONDS)


class ImpatientConnection(psycopg.Connection[Any]):
    """Raises OperationalError if an answer takes too long, and is closed then, as that answer may still come."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            answer = super().wait(gen, interval, _PATIENCE if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status is psycopg.pq.TransactionStatus.ACTIVE:
                server.note(success=False)
                self.close()
            raise
        if server.is_open:
            server.note(success=True)
        return answer
