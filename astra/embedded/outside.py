"""The operator's own servers, which `up` cannot start again: it says when they go and when they come back."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.db import DatabaseError, connection
from redis.backoff import NoBackoff
from redis.retry import Retry

_LOOK_EVERY = 3.0
_PATIENCE = 2.0


@dataclass(kw_only=True)
class Outside:
    """A server, named as the operator knows it. `fault` asks it, and returns what is wrong, or an empty text.

    The service can start without one that `can_wait`.
    """

    name: str
    fault: Callable[[], str]
    can_wait: bool = True
    is_away: bool = False

    def news(self) -> str:
        """One sentence if it went or came back since the last call, else an empty text."""
        fault = self.fault()
        if bool(fault) == self.is_away:
            return ""
        self.is_away = bool(fault)
        return f"{self.name} is away ({fault}); jobs wait until it is back" if fault else f"{self.name} is back"


class Watch:
    """Asks the servers every few seconds, in a thread, because one that hangs must not hold up the supervisor."""

    def __init__(self, servers: list[Outside], say: Callable[[str], None]) -> None:
        self._servers, self._say = servers, say
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outside", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._end.set()

    def _run(self) -> None:
        while not self._end.wait(_LOOK_EVERY):
            for server in self._servers:
                if news := server.news():
                    self._say(news)


def broker_fault(url: str) -> str:
    """Why the broker does not answer, or an empty text."""
    patience = {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE, "retry": Retry(NoBackoff(), 0)}
    with redis.Redis.from_url(url, **patience) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            return _first_line(error)
    return ""


def database_fault() -> str:
    """Why the database does not answer, or an empty text."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return _first_line(error)
    finally:
        connection.close()  # each thread has its own
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
