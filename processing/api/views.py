"""The API's addresses. Each view reads the request, calls one verb, and answers."""

import hashlib
from typing import Any, cast
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import usage
from accounts.models import ApiKey
from astra import logs
from astra.exceptions import ApiError, Fault, InvalidRequest, Problem
from astra.rendering import FastJSONRenderer

from .. import links, messages, tasks
from ..bodies import LINKS, job_body
from ..models import Job
from ..models.idempotency import KeyOfAnotherBody
from ..models.job_queue import QueueFull
from ..models.jobs import job_of_caller
from ..raster.items import scene_item
from ..raster.operations import all_operations
from ..results import job_of_key, keys_of, pictures_of
from ..signed_links import LinkExpired, LinkTampered, check_link
from ..timeline import timeline
from .downloads import serve_file
from .dry_run import dry_run
from .job_query import JobQuery, cursor_after
from .prefer_wait import preferred_wait, wait_for_end
from .result_item import result_item
from .scene_lookup import look_up
from .submit_request import SubmitRequest
from .waiting import waiting_of

_POLL_AGAIN_SECONDS = "2"
_AFTER_A_JOB = {"Retry-After": "10"}
_OF_THE_QUEUE = ("queue_position", "eta_seconds")
_LONGEST_IDEMPOTENCY_KEY = 255


def key_of(request: Request) -> ApiKey:
    return cast(ApiKey, request.auth)


def jobs_of(request: Request) -> Any:
    """The jobs that the caller may see: those of its account, in the mode of its key."""
    key = key_of(request)
    return Job.objects.filter(account=key.account, mode=key.mode).with_webhook()


def job_of(request: Request, job_id: str) -> Job:
    key = key_of(request)
    job = job_of_caller(key.account_id, key.mode, job_id)
    if job is None:
        message = "There is no such job of this account. Test and live keys see the jobs of their own mode only."
        raise ApiError(Problem.NOT_FOUND, message)
    return job


class JobList(APIView):
    def post(self, request: Request) -> Response:
        """Submit a job, and wait for its end if the caller prefers that. A dry run only says what would be done."""
        idempotency_key, wanted = _idempotency_key(request), _wanted(request)
        if wanted.dry_run:
            key = key_of(request)
            most = key.account.limits.pixels_per_job
            return Response(dry_run(wanted, use_sandbox=key.is_test, max_pixels=most))
        job, seconds = _submit(request, wanted, idempotency_key), preferred_wait(request.headers.get("Prefer", ""))
        has_waited = seconds is not None and wait_for_end(job, seconds)
        response = Response(job_body(job, links.origin_of(request)), status=202)
        response["Location"] = f"/api/v1/process/{job.pk}"
        if has_waited:
            response["Preference-Applied"] = f"wait={seconds}"
        if has_waited and job.is_finished:
            response.status_code = 200
        else:
            response["Retry-After"] = _POLL_AGAIN_SECONDS
        return response

    def get(self, request: Request) -> Response:
        """The account's jobs, newest first, page by page."""
        query = JobQuery.parse(request.query_params.dict())
        found = list(jobs_of(request).filter(query.filters())[: query.limit + 1])
        page, origin = found[: query.limit], links.origin_of(request)
        following = None
        if len(found) > query.limit:
            parameters = {**request.query_params.dict(), "cursor": cursor_after(page[-1])}
            following = f"{origin}/api/v1/process?{urlencode(parameters)}"
        return Response({"jobs": [job_body(job, origin) for job in page], "next": following})


class JobDetail(APIView):
    def get(self, request: Request, job_id: str) -> Response:
        """Poll a job."""
        job = job_of(request, job_id)
        body = job_body(job, links.origin_of(request), waiting_of(job))
        etag = _etag(body)
        response = Response(status=304) if matches(request, etag) else Response(body)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        response["Vary"] = "Authorization"
        if not job.is_finished:
            response["Retry-After"] = _POLL_AGAIN_SECONDS
        return response

    def delete(self, request: Request, job_id: str) -> Response:
        """Cancel a job that is not finished."""
        job = job_of(request, job_id)
        if not tasks.cancel(job, "The job was cancelled by its owner."):
            raise ApiError(Problem.CONFLICT, "The job is finished, so there is nothing to cancel.")
        return Response(job_body(job_of(request, job_id), links.origin_of(request)))


class JobItem(APIView):
    def get(self, request: Request, job_id: str) -> Response:
        """The result of a completed job as a STAC Item."""
        job = job_of(request, job_id)
        if job.result is None:
            raise ApiError(Problem.CONFLICT, f"The job is {job.shown_status}, so it has no result to describe.")
        href = links.link(job, links.origin_of(request))
        if href is None:
            raise ApiError(Problem.EXPIRED)
        response = Response(result_item(job, href, links.origin_of(request)), content_type="application/geo+json")
        response["Cache-Control"] = "private, no-cache"
        response["Vary"] = "Authorization"
        return response


class JobEvents(APIView):
    def get(self, request: Request, job_id: str) -> Response:
        """What happened to a job, line by line."""
        job = job_of(request, job_id)
        body = {"job_id": job.pk, "events": [line.body() for line in timeline(job)]}
        return Response(body, headers={"Cache-Control": "private, no-cache", "Vary": "Authorization"})


class JobResult(APIView):
    def delete(self, request: Request, job_id: str) -> Response:
        """Delete the file of a completed job now. The job stays, as after its expiry."""
        job = job_of(request, job_id)
        if job.result is None:
            raise ApiError(Problem.CONFLICT, f"The job is {job.shown_status}, so it has no result to delete.")
        if not job.discard_result():
            raise ApiError(Problem.EXPIRED)
        transaction.on_commit(messages.ask_to_expire, robust=True)
        return Response(job_body(job, links.origin_of(request)))


class SceneDetail(APIView):
    def get(self, request: Request, scene_id: str) -> Response:
        """One scene with its bands as a job would read them: the cheapest way to check an id."""
        return Response(scene_item(look_up(scene_id, use_sandbox=key_of(request).is_test)))


class OperationList(APIView):
    def get(self, request: Request) -> Response:
        """Every operation, with the JSON Schema that checks its params."""
        return Response(
            {
                "operations": [
                    {
                        "name": name,
                        "title": operation.title,
                        "description": operation.description,
                        "scenes": len(operation.scene_roles),
                        "scene_roles": list(operation.scene_roles),
                        "params": operation.params_model.model_json_schema(),
                    }
                    for name, operation in all_operations().items()
                ]
            }
        )


class Download(APIView):
    """A result or picture on the local disk. The signature in the link is the only permission needed."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, key: str) -> HttpResponseBase:
        try:
            check_link(key, request.query_params.get("expires", ""), request.query_params.get("sig", ""))
        except LinkTampered as error:
            raise ApiError(Problem.FORBIDDEN, str(error)) from None
        except LinkExpired:
            message = "This link has expired. Poll the job to see whether its result is still kept."
            raise ApiError(Problem.EXPIRED, message) from None
        job = Job.objects.filter(pk=job_of_key(key)).first()
        if job is None or job.has_expired or key not in keys_of(job.result_key, pictures_of(job)):
            raise ApiError(Problem.EXPIRED)
        return serve_file(request, job, key)

    head = get


def _submit(request: Request, wanted: SubmitRequest, idempotency_key: str | None) -> Job:
    """Write the job and, after the commit, send it to the workers. A repeated Idempotency-Key returns the first job."""
    try:
        job, is_new = Job.objects.submit_once(
            key_of(request),
            idempotency_key,
            request.data,
            operation=wanted.operation,
            scene_ids=wanted.scene_ids,
            params=wanted.params,
            webhook_url=wanted.webhook_url,
            origin=links.origin_of(request),
            request_id=logs.bound_ids().get("request_id", ""),
        )
    except KeyOfAnotherBody:
        raise ApiError(Problem.IDEMPOTENCY_MISMATCH) from None
    except QueueFull:
        raise _queue_full(key_of(request)) from None
    logs.bind(job_id=job.pk)  # so that the request's line names it
    if not is_new:
        return job_of(request, job.pk)
    usage.count(key_of(request).pk, jobs=1)
    transaction.on_commit(messages.ask_for_work, robust=True)
    return job


def _queue_full(key: ApiKey) -> ApiError:
    message = f"{key.account.limits.queued_jobs} jobs of your account wait in the queue, as many as its plan allows."
    return ApiError(Problem.QUEUE_FULL, f"{message} Submit more once some have begun.", {}, _AFTER_A_JOB)


def _wanted(request: Request) -> SubmitRequest:
    return SubmitRequest.parse(request.data, in_sandbox=key_of(request).is_test)


def _idempotency_key(request: Request) -> str | None:
    """The header's value, quoted (as in the IETF draft) or bare. None if it is not sent."""
    raw = request.headers.get("Idempotency-Key")
    if raw is None:
        return None
    key = raw[1:-1] if len(raw) >= 2 and raw[0] == raw[-1] == '"' else raw
    if not 1 <= len(key) <= _LONGEST_IDEMPOTENCY_KEY or not key.isprintable():
        message = f"This header must hold 1 to {_LONGEST_IDEMPOTENCY_KEY} printable characters."
        raise InvalidRequest([Fault(parameter="Idempotency-Key", message=message, received=raw)])
    return key


def _etag(body: dict[str, Any]) -> str:
    """Changes with anything that the body shows, but neither with the signature of the link nor with the queue."""
    shown = {
        **{name: value for name, value in body.items() if name not in _OF_THE_QUEUE},
        "result": {**body["result"], **{name: bool(body["result"][name]) for name in LINKS}}
        if body["result"]
        else None,
    }
    return f'"{hashlib.sha256(FastJSONRenderer().render(shown)).hexdigest()[:32]}"'


def matches(request: Request, etag: str) -> bool:
    """Whether the caller has an answer with this ETag already."""
    known = request.headers.get("If-None-Match", "")
    return known.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in known.split(","))
