"""Small questions to the server, asked while a caller waits."""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ..outages import WatchedBreaker

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# After a failure. Whoever waits for an answer of the web process must not wait for the broker, too.
_PAUSE_SECONDS = 10 if settings.IS_WEB else 1
# An answer takes less than a millisecond; every thread may wait so long once when the server goes silent.
_MOST_SECONDS = 0.5

_ERRORS = (RedisError, OSError)


def ask(question: Callable[[Any], Answer]) -> Answer | None:
    """The answer that `question` gets from the server, a client of which it is called with. None if that is away.

    A broker in the memory of this process, as tests have it, is always away.
    """
    if not _is_server() or not broker.allows():
        return None
    try:
        answer = question(_client(settings.CELERY_BROKER_URL))
    except _ERRORS as error:
        broker.note(success=False)
        logger.warning("the broker is away: %s", error)
        return None
    broker.note(success=True)
    return answer


def _look() -> None:
    if _is_server():
        _client(settings.CELERY_BROKER_URL).ping()


broker = WatchedBreaker(_PAUSE_SECONDS, _look, _ERRORS)


def _is_server() -> bool:
    return settings.CELERY_BROKER_URL.startswith(("redis:", "rediss:"))


@lru_cache(maxsize=4)
def _client(url: str) -> Any:
    """A connection that was closed while nobody used it is opened anew once; what takes too long is not tried again."""
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return redis.Redis.from_url(url, socket_timeout=_MOST_SECONDS, socket_connect_timeout=_MOST_SECONDS, retry=again)
