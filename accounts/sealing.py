"""Secrets that the service has to read again: encrypted under the pepper, so that a copy of the database is no use."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotUnseal(Exception):
    """The secret was sealed under another pepper."""

    def __init__(self) -> None:
        super().__init__("The secret cannot be read, as ASTRA_KEY_PEPPER was changed: see `manage.py resealsecrets`.")


def seal(secret: str) -> str:
    return _cipher(settings.KEY_PEPPER).encrypt(secret.encode()).decode()


def unseal(sealed: str, pepper: str | None = None) -> str:
    """The secret, by the present pepper if none is given. Raises CannotUnseal."""
    try:
        return _cipher(settings.KEY_PEPPER if pepper is None else pepper).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotUnseal from None


@lru_cache(maxsize=8)
def _cipher(pepper: str) -> Fernet:
    """HKDF (RFC 5869) keeps this key apart from the pepper's other use, the digest of API keys."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"astra sealed secrets").derive(pepper.encode())
    return Fernet(base64.urlsafe_b64encode(key))
