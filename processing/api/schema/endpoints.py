"""Every address and method of the service: what it takes, and all that it may answer.

By the class of the view, so that a view says nothing of its description.
"""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiResponse

from astra.exceptions import Problem

from ...raster.types import COG_MEDIA_TYPE
from . import headers, parameters
from .bodies import accounts, items, jobs, submits
from .endpoint import Described, answer, endpoint, json_request
from .errors import ALWAYS, OF_SCENES, WITH_A_BODY, WITH_A_KEY
from .examples import CHANGE_DETECTION, COMPLETED, FAILED, NDVI, QUEUED

_BINARY = {"type": "string", "format": "binary"}
_MISSING = (*WITH_A_KEY, Problem.NOT_FOUND)
_OF_RESULT = (*_MISSING, Problem.CONFLICT, Problem.EXPIRED)
_OF_THE_CALLER = [headers.cache_control(200), headers.given("Vary", [200], "Authorization, and what else decides.")]


def endpoints() -> Mapping[str, Mapping[str, Described]]:
    """By the view's class and the method."""
    return {
        "processing.api.views.JobList": {"get": _list_jobs(), "post": _submit_job()},
        "processing.api.views.JobDetail": {"get": _get_job(), "delete": _cancel_job()},
        "processing.api.views.JobEvents": {"get": _get_job_events()},
        "processing.api.views.JobItem": {"get": _get_result_item()},
        "processing.api.views.JobResult": {"delete": _delete_result()},
        "processing.api.views.SceneDetail": {"get": _get_scene()},
        "processing.api.views.OperationList": {"get": _list_operations()},
        "processing.api.views.Download": {"get": _download_result()},
        "processing.api.webhook_test.WebhookTest": {"post": _send_test_webhook()},
        "processing.api.schema.document.OpenApiDocument": {"get": _get_openapi()},
        "accounts.views.AccountDetail": {"get": _get_account()},
        "astra.views.Health": {"get": _get_health()},
        "processing.watch.views.Readiness": {"get": _get_readiness()},
        "processing.watch.views.Metrics": {"get": _get_metrics()},
    }


def _submit_job() -> Described:
    return endpoint(
        "submit_job",
        "Jobs",
        "Submit a job",
        "Writes the job and answers with it at once. A repeated `Idempotency-Key` makes a repeated request harmless. "
        "With `dry_run` nothing is written, and the answer says what the job would do, or the error that it would "
        "end with, as far as the catalogues' metadata tell.",
        request=json_request(submits.submit_model(), ndvi=NDVI, change_detection=CHANGE_DETECTION),
        parameters=[
            *(headers.IDEMPOTENCY_KEY, headers.PREFER),
            headers.given("Location", [202], "The address to poll."),
            headers.given("Location", [200], "The address to poll; not of a dry run.", always=False),
            headers.given("Preference-Applied", [200, 202], "`wait=N`: the job was waited for.", always=False),
            headers.retry_after(202),
        ],
        answers={
            200: answer(jobs.JobOrDryRun, "The job that ended within `Prefer: wait=N`, or the dry run.", job=COMPLETED),
            202: answer(jobs.Job, "The job, which is not finished.", queued=QUEUED),
        },
        problems=[*WITH_A_KEY, *WITH_A_BODY, *OF_SCENES, Problem.IDEMPOTENCY_MISMATCH, Problem.QUEUE_FULL],
    )


def _list_jobs() -> Described:
    return endpoint(
        "list_jobs",
        "Jobs",
        "List jobs",
        "The account's jobs of the key's mode, newest first. Follow `next` for more.",
        parameters=parameters.OF_LISTS,
        answers={200: answer(jobs.JobPage, "A page of jobs.", one_job={"jobs": [COMPLETED], "next": None})},
        problems=WITH_A_KEY,
    )


def _get_job() -> Described:
    return endpoint(
        "get_job",
        "Jobs",
        "Poll a job",
        "200 as long as the job is kept, also if it failed. `Retry-After` and `ETag` help to poll gently.",
        parameters=[
            *(parameters.JOB_ID, headers.IF_NONE_MATCH, headers.etag(200, 304)),
            headers.cache_control(200, 304),
            headers.given("Vary", [200, 304], "Authorization, and what else decides."),
            headers.retry_after(200, 304, always=False),
        ],
        answers={
            200: answer(jobs.Job, "The job.", completed=COMPLETED, queued=QUEUED, failed=FAILED),
            304: answer(None, "Nothing that the body shows has changed."),
        },
        problems=_MISSING,
    )


def _cancel_job() -> Described:
    return endpoint(
        "cancel_job",
        "Jobs",
        "Cancel a job",
        "The job ends failed with the code `CANCELED`. 409 if it is finished already.",
        parameters=[parameters.JOB_ID],
        answers={200: answer(jobs.Job, "The job as it ended.")},
        problems=[*_MISSING, Problem.CONFLICT],
    )


def _get_job_events() -> Described:
    return endpoint(
        "get_job_events",
        "Jobs",
        "Read a job's timeline",
        "What happened to the job, and each attempt to send its webhook.",
        parameters=[parameters.JOB_ID, *_OF_THE_CALLER],
        answers={200: answer(jobs.JobEvents, "The timeline, the first line first.")},
        problems=_MISSING,
    )


def _get_result_item() -> Described:
    return endpoint(
        "get_result_item",
        "Results",
        "Read a result as a STAC Item",
        "For catalogues and GIS programs. 409 while there is no result, 410 once its file is deleted.",
        parameters=[parameters.JOB_ID, *_OF_THE_CALLER],
        answers={(200, "application/geo+json"): answer(items.Item, "The item.")},
        problems=_OF_RESULT,
    )


def _delete_result() -> Described:
    return endpoint(
        "delete_result",
        "Results",
        "Delete a result",
        "Deletes the file of a completed job now. The job stays, as after its expiry.",
        parameters=[parameters.JOB_ID],
        answers={200: answer(jobs.Job, "The job, whose result has expired.")},
        problems=_OF_RESULT,
    )


def _download_result() -> Described:
    return endpoint(
        "download_result",
        "Results",
        "Download a result",
        "Where `result.href` leads while results lie on the service's own disk. The signature in the link is the only "
        "permission needed. Ranges and conditions are those of RFC 9110.",
        parameters=[*parameters.OF_LINKS, *headers.OF_FILES],
        answers={
            **{(200, media_type): answer(_BINARY, "The file.") for media_type in (COG_MEDIA_TYPE, "image/png")},
            **{(206, media_type): answer(_BINARY, "The range.") for media_type in (COG_MEDIA_TYPE, "image/png")},
            304: answer(None, "The file is the one that you have."),
        },
        problems=[
            *(*ALWAYS, Problem.FORBIDDEN, Problem.NOT_FOUND, Problem.EXPIRED, Problem.PRECONDITION_FAILED),
            *(Problem.RANGE_NOT_SATISFIABLE, Problem.DATABASE_UNAVAILABLE),
        ],
    )


def _get_scene() -> Described:
    return endpoint(
        "get_scene",
        "Scenes",
        "Look a scene up",
        "One scene as a STAC Item, with its bands as a job would read them: the cheapest way to see that an id is "
        "right. It takes five seconds at most.",
        parameters=[parameters.SCENE_ID],
        answers={200: answer(items.Item, "The scene.")},
        problems=[*WITH_A_KEY, *OF_SCENES],
    )


def _list_operations() -> Described:
    return endpoint(
        "list_operations",
        "Scenes",
        "List operations",
        "Every operation, with the JSON Schema that its params are checked with.",
        answers={200: answer(accounts.Operations, "The operations.")},
        problems=WITH_A_KEY,
    )


def _get_account() -> Described:
    return endpoint(
        "get_account",
        "Account",
        "Read plan, limits and usage",
        "What the account may do and has done, and its keys. All of the caller's mode only.",
        parameters=[headers.cache_control(200)],
        answers={200: answer(accounts.Account, "The account.")},
        problems=WITH_A_KEY,
    )


def _send_test_webhook() -> Described:
    return endpoint(
        "send_test_webhook",
        "Account",
        "Try a webhook's receiver",
        "Sends one signed ping and says what came back. It takes 10 s at most; 429 while two others are under way.",
        request=json_request(accounts.WebhookTest, example={"url": "https://example.com/hook"}),
        answers={200: answer(accounts.WebhookTestResult, "What came of it.")},
        problems=[*WITH_A_KEY, *WITH_A_BODY, Problem.CONFLICT],
    )


def _get_openapi() -> Described:
    return endpoint(
        "get_openapi",
        "Service",
        "Read this document",
        "It needs no key, and may be cached.",
        parameters=[
            *(headers.IF_NONE_MATCH, headers.etag(200, 304), headers.cache_control(200, 304)),
            *headers.IF_A_KEY_IS_SENT,
        ],
        answers={
            200: answer({"type": "object"}, "OpenAPI 3.1."),
            304: answer(None, "It has not changed."),
        },
        problems=[*ALWAYS, Problem.UNKNOWN_KEY, Problem.RATE_LIMITED, Problem.DATABASE_UNAVAILABLE],
    )


def _get_health() -> Described:
    return endpoint(
        "get_health",
        "Service",
        "Does this process answer?",
        "It asks nobody.",
        answers={200: answer(accounts.Health, "It does.", ok={"status": "ok"})},
        problems=ALWAYS,
    )


def _get_readiness() -> Described:
    return endpoint(
        "get_readiness",
        "Service",
        "Can this process serve?",
        "200 while it can; what is wrong elsewhere stands in `degraded`.",
        parameters=[headers.cache_control(200)],
        answers={200: answer(accounts.Readiness, "It can.")},
        problems=[*ALWAYS, Problem.DATABASE_UNAVAILABLE],
    )


def _get_metrics() -> Described:
    return endpoint(
        "get_metrics",
        "Service",
        "Read the metrics",
        "Prometheus' text format. From the loopback only, or with the operator's token.",
        answers={(200, "text/plain"): OpenApiResponse({"type": "string"}, "The metrics.")},
        problems=[*ALWAYS, Problem.FORBIDDEN, Problem.DATABASE_UNAVAILABLE],
    )
