"""Small facts that jobs and deliveries share."""

import secrets
import string
from datetime import datetime, timedelta

from django.conf import settings

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 22  # 131 random bits


def random_id(kind: str) -> str:
    """An id that nobody can guess, such as job_Xq3...: `kind`, an underscore and 22 letters and digits."""
    return f"{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def lease_end(now: datetime) -> datetime:
    """Until when something that is taken now stays taken without a sign of life."""
    return now + timedelta(seconds=settings.LEASE_SECONDS)
