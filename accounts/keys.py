"""The text of an API key: how one is made, recognised and digested.

`astra_sk_` + `live_` or `test_` + 36 characters of base 62: 30 random ones (178 bits) and 6 that check the rest, so
that a mistyped key is refused before the database is asked. The check is no secret.
"""

import hashlib
import hmac
import re
import secrets
import string
from typing import Literal
from zlib import crc32

from django.conf import settings

Mode = Literal["live", "test"]

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH, _CHECK_LENGTH = 30, 6
_FORM = re.compile(r"astra_sk_(live|test)_[0-9A-Za-z]{36}")


def new_key(mode: Mode) -> str:
    body = f"astra_sk_{mode}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return body + _check_characters(body)


def is_well_formed(key: str) -> bool:
    """True if the form and the check characters are those of a key."""
    if _FORM.fullmatch(key) is None:
        return False
    return hmac.compare_digest(_check_characters(key[:-_CHECK_LENGTH]), key[-_CHECK_LENGTH:])


def digest(key: str) -> str:
    """HMAC-SHA-256 under the pepper. A slow hash would protect weak secrets; a key has 178 random bits."""
    return hmac.new(settings.KEY_PEPPER.encode(), key.encode(), hashlib.sha256).hexdigest()


def _check_characters(body: str) -> str:
    number, characters = crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters = _ALPHABET[digit] + characters
    return characters
