"""From the Authorization header to the key and its account."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from .models import Account, ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer astra_sk_...`. Makes `request.user` the Account and `request.auth` the ApiKey.

    Unknown, revoked and malformed keys get the same answer; a header of another form is told the form.
    """

    def authenticate(self, request: Request) -> tuple[Account, ApiKey] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated()
        key = ApiKey.objects.authenticate(text.strip())
        if key is None:
            raise AuthenticationFailed()
        return key.account, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
