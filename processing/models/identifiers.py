"""Ids of jobs and messages."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 22  # 131 random bits


def random_id(kind: str) -> str:
    """An id that nobody can guess: `kind`, an underscore and 22 letters and digits, such as job_Xq3..."""
    return f"{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
