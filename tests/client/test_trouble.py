"""Requests that fail for a reason that may pass: tried again in time, harmlessly, and not for ever."""

import asyncio
import time
from itertools import islice, pairwise
from pathlib import Path

import pytest

from astra_client import Astra, AsyncAstra, Job, errors
from tests.client.conftest import SCENE
from tests.client.proxy import Proxy, Trouble, loses_the_answer, refuses, sends_header
from tests.service.conftest import Service
from tests.service.instances import assert_strict_cog


def test_whole_example_gets_through_all_troubles(astra: Astra, proxy: Proxy, tmp_path: Path) -> None:
    proxy.on("POST", "/process", refuses(429, "1"), refuses(503), loses_the_answer)
    proxy.on("GET", "/process/", loses_the_answer, refuses(503, "0"), proxy.restarts(1), refuses(502))
    proxy.on("GET", "/files/", refuses(503, "0"), loses_the_answer)

    job = astra.run("ndvi", SCENE, {"colormap": "rdylgn"})

    assert_strict_cog(astra.download(job, tmp_path / "out.tif"))


@pytest.mark.parametrize("trouble", [loses_the_answer, refuses(503, "0"), refuses(429, "0"), refuses(500, "0")])
def test_repeated_submit_makes_one_job(astra: Astra, proxy: Proxy, trouble: Trouble, completed: Job) -> None:
    proxy.on("POST", "/process", trouble, trouble)

    job = astra.submit("ndvi", "sentinel-2:TEST_NOT_FOUND")

    sent = proxy.requests("POST", "/process")
    assert len(sent) == 3
    assert len({seen.headers["idempotency-key"] for seen in sent}) == 1
    # All three reached the service: the proxy makes trouble with answers. The key made one job of them.
    newest, before = islice(astra.jobs(), 2)
    assert newest.job_id == job.job_id
    assert before.job_id != job.job_id


def test_two_submits_are_two_jobs(astra: Astra) -> None:
    first, second = (astra.submit("ndvi", "sentinel-2:TEST_NOT_FOUND") for _ in range(2))
    assert first.job_id != second.job_id


def test_own_key_makes_one_job_of_two_submits(astra: Astra) -> None:
    key = f"own {time.time_ns()}"
    first, second = (astra.submit("ndvi", "sentinel-2:TEST_OK", idempotency_key=key) for _ in range(2))
    assert first.job_id == second.job_id


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(astra: Astra, proxy: Proxy, status: int) -> None:
    proxy.on("GET", "/account", refuses(status, "1"))
    astra.account()
    first, second = proxy.requests("GET", "/account")
    assert second.at - first.at >= 1


def test_async_client_tries_again_too(service: Service, proxy: Proxy) -> None:
    proxy.on("GET", "/account", refuses(503, "0"), loses_the_answer)

    async def account() -> dict[str, object]:
        async with AsyncAstra(service.key, proxy.url) as astra:
            return await astra.account()

    assert asyncio.run(account())["mode"] == "test"
    assert len(proxy.requests("GET", "/account")) == 3


def test_time_for_trying_again_is_bounded(service: Service, proxy: Proxy) -> None:
    proxy.on("GET", "/account", *[refuses(503)] * 100)
    with Astra(service.key, proxy.url, patience=0.5) as astra, pytest.raises(errors.ServiceUnavailable) as caught:
        astra.account()
    assert (caught.value.code, caught.value.status) == ("SERVICE_UNAVAILABLE", 503)
    assert len(proxy.requests("GET", "/account")) >= 2


def test_longer_retry_after_than_there_is_time_for_is_an_error_at_once(astra: Astra, proxy: Proxy) -> None:
    proxy.on("GET", "/account", refuses(429, "3600"))
    with pytest.raises(errors.RateLimited) as caught:
        astra.account()
    assert caught.value.retry_after == 3600
    assert len(proxy.requests("GET", "/account")) == 1


@pytest.mark.parametrize(
    ("method", "arguments", "error", "code"),
    [
        ("job", ("job_nonesuch",), errors.NotFound, "NOT_FOUND"),
        ("scenes", ("sentinel-2:TEST_NOT_FOUND",), errors.NotFound, "SCENE_NOT_FOUND"),
        ("submit", ("ndvi", "nonsense"), errors.InvalidRequest, "INVALID_ID_FORMAT"),
        ("submit", ("ndvi", SCENE, {"colormap": "rainbow"}), errors.InvalidRequest, "VALIDATION_ERROR"),
    ],
)
def test_refusal_has_its_name_and_code_and_is_not_repeated(
    astra: Astra, proxy: Proxy, method: str, arguments: tuple[object, ...], error: type[errors.ApiError], code: str
) -> None:
    with pytest.raises(error) as caught:
        getattr(astra, method)(*arguments)
    assert caught.value.code == code
    assert caught.value.request_id
    assert len(proxy.seen) == 1


def test_wrong_key_is_unauthorized(proxy: Proxy) -> None:
    with Astra("astra_sk_test_wrong", proxy.url) as astra, pytest.raises(errors.Unauthorized):
        astra.account()


def test_failed_job_is_an_error_with_its_code(astra: Astra) -> None:
    with pytest.raises(errors.JobFailed) as caught:
        astra.run("ndvi", "sentinel-2:TEST_NO_DATA")
    assert caught.value.code == "NO_VALID_PIXELS"
    assert caught.value.job.status == "failed"
    assert caught.value.message == caught.value.job["error"]["message"]


def test_polls_are_as_far_apart_as_the_service_asks_and_name_what_is_known(astra: Astra, proxy: Proxy) -> None:
    proxy.on("GET", "/process/", *[sends_header("retry-after", "1")] * 100)
    job = astra.submit("ndvi", "sentinel-2:TEST_SLOW")
    with pytest.raises(errors.StillRunning):
        astra.wait(job, timeout=3)
    astra.cancel(job)

    polls = proxy.requests("GET", f"/process/{job.job_id}")
    assert len(polls) >= 2
    assert all(later.at - earlier.at >= 1 for earlier, later in pairwise(polls))
    assert all(poll.headers.get("if-none-match") for poll in polls[1:])


def test_cancel_whose_answer_is_lost_has_cancelled(astra: Astra, proxy: Proxy) -> None:
    job = astra.submit("ndvi", "sentinel-2:TEST_SLOW")
    proxy.on("DELETE", job.job_id, loses_the_answer)
    cancelled = astra.cancel(job)
    assert (cancelled.error or {})["code"] == "CANCELED"
    with pytest.raises(errors.Conflict):
        astra.cancel(job)


def test_key_is_sent_to_the_service_only(astra: Astra, proxy: Proxy, completed: Job, tmp_path: Path) -> None:
    astra.download(completed, tmp_path / "out.tif")
    (fetched,) = proxy.requests("GET", "/files/")
    assert "authorization" not in fetched.headers


def test_something_else_than_astra_is_named(service: Service) -> None:
    with Astra(service.key, f"{service.url}/admin") as astra, pytest.raises(errors.Unreachable, match="ASTRA_API_URL"):
        astra.account()
