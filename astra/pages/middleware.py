"""Django's middleware for pages: sessions and logins. Requests of the API pass by it."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest


class _ForPages:
    """Keys travel in a header, so a request of the API needs neither a session nor a login."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # of the middleware that this is mixed into


class Sessions(_ForPages, SessionMiddleware):
    pass


class Logins(_ForPages, AuthenticationMiddleware):
    pass


class Messages(_ForPages, MessageMiddleware):
    pass
