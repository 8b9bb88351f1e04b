"""From the Authorization header to the key and its account, and to what the key may be used for."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from astra.exceptions import ApiError, Problem

from .models import Account, ApiKey
from .wrong_tries import check_wrong_key

_MEANINGS = {"read": "read jobs, scenes and operations", "process": "submit, cancel or delete anything"}


def find_key(request: HttpRequest) -> ApiKey | None:
    """The key that the request is sent with, `Authorization: Bearer astra_sk_...`. None if there is no such header.

    Raises AuthenticationFailed for unknown, revoked and malformed keys alike, NotAuthenticated for a header of another
    form, and ApiError (429) if too many wrong keys come from one address.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated()
    key = ApiKey.authenticate(text.strip())
    if key is None:
        check_wrong_key(request)
        raise AuthenticationFailed()
    return key


class ApiKeyAuthentication(BaseAuthentication):
    """Makes `request.user` the Account and `request.auth` the ApiKey that the middleware has found."""

    def authenticate(self, request: Request) -> tuple[Account, ApiKey] | None:
        key: ApiKey | None = getattr(request, "api_key", None)
        return None if key is None else (key.account, key)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class WithinScope(BasePermission):
    """A key that is restricted to reading does not process, and the other way round."""

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        missing = key.missing_scope(request.method or "") if isinstance(key, ApiKey) else ""
        if missing:
            message = f"This key lacks the scope '{missing}', so it may not {_MEANINGS[missing]}. Use another key."
            raise ApiError(Problem.FORBIDDEN, message, {"missing_scope": missing})
        return True
