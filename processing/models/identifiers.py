"""What jobs and deliveries share: ids and leases."""

import secrets
import string
from datetime import datetime, timedelta

from django.conf import settings

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 22  # 131 random bits


def random_id(kind: str) -> str:
    """An id that nobody can guess: `kind`, an underscore and 22 letters and digits, such as job_Xq3..."""
    return f"{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def lease_end(now: datetime) -> datetime:
    """Until when something that is claimed now stays claimed without a sign of life."""
    return now + timedelta(seconds=settings.LEASE_SECONDS)
