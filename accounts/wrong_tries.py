"""Wrong keys and logins are slowed, by address and name. A right key is never slowed by another's wrong ones.

The buckets are those of the limits. django-axes, which many take for this, writes a row at each failure, locks names
out that somebody else has guessed at, and lets as many passwords be checked at once as there are threads.
"""

from django.http import HttpRequest

from astra.exceptions import ApiError, Problem

from .addresses import caller_address
from .buckets import Rate, forget, take

_KEYS = Rate(per_minute=30, burst=30)
_LOGINS = Rate(per_minute=10, burst=20)
_LOGINS_OF_NAME = Rate(per_minute=2, burst=5)


def check_wrong_key(request: HttpRequest) -> None:
    """To be called for a wrong key. Raises ApiError (429) if many have come from its address."""
    allowance = take(f"wrong-key:{caller_address(request)}", _KEYS)
    if not allowance.is_admitted:
        seconds = allowance.retry_after
        message = f"Many wrong API keys were sent from your address. Try again in {seconds} s, with a valid one."
        raise ApiError(Problem.RATE_LIMITED, message, {}, {"Retry-After": str(seconds)})


def seconds_until_login(request: HttpRequest, name: str) -> int:
    """Take a try to sign in. 0 if there was one left, for this address and for this name from this address."""
    address = caller_address(request)
    tries = (take(f"login:{address}", _LOGINS), take(_place(address, name), _LOGINS_OF_NAME))
    return max((each.retry_after for each in tries if not each.is_admitted), default=0)


def forget_logins(request: HttpRequest, name: str) -> None:
    """The name has signed in from this address."""
    forget(_place(caller_address(request), name))


def _place(address: str, name: str) -> str:
    return f"login:{address}:{name.casefold()[:150]}"
