"""Ids of jobs and messages."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 22  # 131 random bits


def random_id(kind: str) -> str:
    """An id that nobody can guess: `kind`, an underscore and 22 letters and digits, such as job_Xq3..."""
    number, characters = secrets.randbelow(len(_ALPHABET) ** _LENGTH), ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters += _ALPHABET[digit]
    return f"{kind}_{characters}"
