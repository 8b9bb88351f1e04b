"""Who sees what: every address of the API, by every method, for every kind of key that must not get in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.keys import new_key
from accounts.models import Account, ApiKey
from tests.answers import assert_error, client_with
from tests.processing.jobs import EXAMPLE, URL, another_key, completed, queued, row

METHODS = ("get", "post", "delete", "put", "patch")
MISSING = "job_0000000000000000000000"


def api_routes() -> list[tuple[str, str]]:
    """(method, route) of all that needs a key."""
    return sorted(set(_routes(get_resolver().url_patterns)))


def _routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif route.startswith("api/") and getattr(pattern.callback, "view_class", None) is not None:
            view: Any = pattern.callback.view_class  # type: ignore[attr-defined]
            if view.permission_classes:
                yield from ((method, f"/{route}") for method in METHODS if hasattr(view, method))


ROUTES = api_routes()
OF_JOBS = [each for each in ROUTES if "<str:job_id>" in each[1]]


def send(client: APIClient, method: str, route: str, job_id: str = MISSING) -> Any:
    address = route.replace("<str:job_id>", job_id).replace("<str:scene_id>", EXAMPLE["scene_ids"][0])
    body = None if method in ("get", "delete") else EXAMPLE
    return getattr(client, method)(address, body, format="json")


def stranger(kind: str, account: Account) -> APIClient:
    """A client whose key is valid and yet not for the test jobs of `account`."""
    return client_with(another_key()[1] if kind == "another account" else ApiKey.objects.issue(account, "live")[1])


def outsider(kind: str, account: Account) -> APIClient:
    """A client whose key is none, or none any more."""
    now = timezone.now()
    key, text = ApiKey.objects.issue(account, "test")
    match kind:
        case "revoked":
            key.revoke()
        case "expired":
            ApiKey.objects.filter(pk=key.pk).update(expires_at=now)
        case "rolled a day ago":
            key.roll()
            ApiKey.objects.filter(pk=key.pk).update(expires_at=now - timedelta(seconds=1))
        case "unknown":
            text = new_key("test")
        case "mistyped":
            text = text[:-1] + ("0" if text[-1] != "0" else "1")
    return client_with(text)


def test_matrix_holds_all_that_is_documented() -> None:
    addresses = {route for _, route in ROUTES}
    assert {URL, f"{URL}/<str:job_id>", f"{URL}/<str:job_id>/item", "/api/v1/account"} <= addresses
    assert len(OF_JOBS) >= 4


@pytest.mark.parametrize("kind", ["another account", "the other mode"])
@pytest.mark.parametrize(("method", "route"), OF_JOBS)
def test_job_of_another_is_as_if_it_were_not_there(
    account: Account, key: ApiKey, method: str, route: str, kind: str
) -> None:
    client = stranger(kind, account)
    for job in (queued(key), completed(key)):
        before = row(job)
        answer = send(client, method, route, job.pk)
        assert_error(answer, 404, "NOT_FOUND")
        assert answer.content == send(client, method, route).content
        assert row(job) == before


@pytest.mark.parametrize("kind", ["another account", "the other mode"])
def test_lists_and_usage_hold_nothing_of_another(api: APIClient, account: Account, key: ApiKey, kind: str) -> None:
    queued(key)
    api.get(URL)
    client = stranger(kind, account)
    assert client.get(URL).json() == {"jobs": [], "next": None}
    body = client.get("/api/v1/account").json()
    assert body["usage"]["today"]["requests"] == 2
    assert key.last_four not in [each["last_four"] for each in body["keys"]]


@pytest.mark.parametrize("kind", ["revoked", "expired", "rolled a day ago", "unknown", "mistyped"])
def test_key_that_does_not_work_gets_in_nowhere(account: Account, key: ApiKey, kind: str) -> None:
    client, job = outsider(kind, account), queued(key)
    for method, route in ROUTES:
        answer = send(client, method, route, job.pk)
        assert_error(answer, 401, "UNAUTHORIZED")
        assert answer["WWW-Authenticate"] == "Bearer"


def test_nobody_gets_in_without_a_key(key: ApiKey) -> None:
    job = queued(key)
    for method, route in ROUTES:
        assert_error(send(APIClient(), method, route, job.pk), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(("scope", "refused"), [("read", ("post", "delete", "put", "patch")), ("process", ("get",))])
def test_restricted_key_gets_403_wherever_it_may_not(
    account: Account, key: ApiKey, scope: str, refused: tuple[str, ...]
) -> None:
    client, job = client_with(ApiKey.objects.issue(account, "test", scope=scope)[1]), queued(key)
    for method, route in ROUTES:
        if method in refused:
            assert_error(send(client, method, route, job.pk), 403, "FORBIDDEN")
    assert row(job)["status"] == "queued"


def test_rolled_key_works_beside_its_replacement(account: Account, key: ApiKey) -> None:
    job = queued(key)
    old, text = ApiKey.objects.issue(account, "test")
    new_text = old.roll()[1]
    assert {client_with(each).get(f"{URL}/{job.pk}").status_code for each in (text, new_text)} == {200}
