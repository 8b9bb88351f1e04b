"""Connections that do not wait for a server that has fallen silent."""

import time
from functools import cached_property
from typing import Any

import psycopg

from ...outages import Breaker

# Above any statement that a caller waits for. The server's own statement_timeout is no help once the server is silent.
_PATIENCE = 3.0
_PAUSE_SECONDS = 1.0
_PROVEN_SECONDS = 1.0


class Server(Breaker):
    """Whether the server answers this process. Only an answer counts: pools lend connections of silent servers, too."""

    def __init__(self) -> None:
        super().__init__(_PAUSE_SECONDS)
        self._answered_at = time.monotonic()

    def note_answer(self) -> None:
        self._answered_at = time.monotonic()
        if self.is_open:
            self.note(success=True)

    def note_refusal(self) -> None:
        """A connection could not be had. While others get answers, the server is only busy."""
        if time.monotonic() - self._answered_at > _PAUSE_SECONDS:
            self.note(success=False)


server = Server()


class ImpatientConnection(psycopg.Connection[Any]):
    """Raises OperationalError if an answer takes too long, and is closed then, as that answer may still come."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._answered_at = 0.0

    @cached_property
    def is_direct(self) -> bool:
        """Whether the other end is PostgreSQL itself. A pooler, such as PgBouncer, makes up its process id."""
        found = super().execute("SELECT pg_backend_pid()").fetchone()
        return found is not None and found[0] == self.info.backend_pid

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """The pool asks for nothing before it lends a connection. An answer a moment ago proves as much."""
        if query == "" and time.monotonic() - self._answered_at < _PROVEN_SECONDS:
            return self.cursor()
        return super().execute(query, *args, **options)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            answer = super().wait(gen, interval, _PATIENCE if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status is psycopg.pq.TransactionStatus.ACTIVE:
                server.note(success=False)
                self.close()
            raise
        server.note_answer()
        self._answered_at = time.monotonic()
        return answer
