"""The admin's login: slowed for those who guess, and no way to stop the API.

A check of a password keeps a core busy for a third of a second, on purpose. So each process makes one at a time, and
whoever comes meanwhile is asked to try again, instead of waiting on a thread that the API needs.
"""

from threading import Lock

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from astra.refusals import count_refusal

from .wrong_tries import forget_logins, seconds_until_login

_checking = Lock()


@sensitive_post_parameters()
def login(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return admin.site.login(request)
    if not _checking.acquire(blocking=False):
        return _refusal("Somebody else is signing in. Try again in a second.", 1)
    try:
        return _sign_in(request, request.POST.get("username", ""))
    finally:
        _checking.release()


def _sign_in(request: HttpRequest, name: str) -> HttpResponse:
    if seconds := seconds_until_login(request, name):
        return _refusal(f"Too many tries to sign in. Try again in {seconds} s.", seconds)
    response = admin.site.login(request)
    if request.user.is_authenticated:
        forget_logins(request, name)
    return response


def _refusal(sentence: str, seconds: int) -> HttpResponse:
    count_refusal("LOGIN_REFUSED")
    return HttpResponse(sentence, status=429, content_type="text/plain", headers={"Retry-After": str(seconds)})
