"""From the broker's bucket or, while that is away, from this process's own."""

from prometheus_client import Counter

from astra.broker import ask
from astra.refusals import REFUSALS

from .. import usage
from . import shared
from .local import LocalBuckets
from .rate import Allowance, Rate

_taken_locally = Counter(
    "astra_limits_checked_locally", "Limits checked by this process alone, as the broker is away", registry=REFUSALS
)
LOCAL = LocalBuckets()


def take(name: str, rate: Rate, key_id: int = 0) -> Allowance:
    """One token, if there is one. With `key_id`, the usage of that key counts the request, refused or not."""
    allowance = ask(lambda server: shared.take(server, name, rate, usage.PLACE, key_id))
    if allowance is not None:
        return allowance
    _taken_locally.inc()
    allowance = LOCAL.take(name, rate)
    if key_id:
        usage.remember(key_id, requests=1, errors=0 if allowance.is_admitted else 1)
    return allowance


def forget(name: str) -> None:
    """The bucket is full again."""
    ask(lambda server: shared.forget(server, name))
    LOCAL.forget(name)
