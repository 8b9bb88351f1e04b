"""Messages to workers. They carry nothing: the rows say what is to be done, so a lost message costs only time.

Whoever takes a message asks for the next one, so one does for many jobs.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from astra.broker import broker, soon

logger = logging.getLogger(__name__)

WORK, DELIVER, EXPIRE = "processing.tasks.work", "processing.tasks.deliver", "processing.tasks.expire_results"
# Idle workers send more for what still waits, so copies do not fill a long queue.
_LIFE_SECONDS = 120
_SHORT_LIFE_SECONDS = 3


def ask_for_work() -> None:
    """Let a worker take the job whose turn it is. If the broker is away, idle workers look again."""
    soon(_send, WORK, _LIFE_SECONDS)


def ask_for_deliveries() -> None:
    """Let a worker take the webhook that is due first."""
    soon(_send, DELIVER, _LIFE_SECONDS)


def ask_to_expire() -> None:
    """Let the control process delete what has expired, without waiting for its next round."""
    soon(_send, EXPIRE, _LIFE_SECONDS)


def ask_again(task: str, times: int) -> None:
    """For idle workers, who ask for the same every second: so many messages that soon expire."""
    for _ in range(times):
        if not _send(task, _SHORT_LIFE_SECONDS):
            break


def _send(task: str, life_seconds: float) -> bool:
    """False if the broker is away."""
    if not broker.allows():
        return False
    try:
        current_app.send_task(task, retry=False, expires=life_seconds, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        broker.note(success=False)
        logger.warning("the broker is away: %s", error)
        return False
    broker.note(success=True)
    return True
