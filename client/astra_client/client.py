"""The client. It is written once, for async code; `blocking` runs the same coroutines without an event loop."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

from . import __version__, errors
from .access import api_root, authorization
from .download import PartialFile
from .jobs import Job
from .network import AsyncNetwork, Network
from .session import Session, body_of
from .waiting import retry_after
from .webhooks import verify_webhook

OnProgress = Callable[[Job], None]
OnBytes = Callable[[int, int], None]

PATIENCE = 30.0
_POLL_SECONDS = 2.0


def ignore(*_: object) -> None:
    """Tell nobody."""


class AsyncAstra:
    """The API for async code: `async with AsyncAstra() as astra: job = await astra.run("ndvi", scene)`.

    Every request that fails for a reason that may pass (429, 5xx, a connection that breaks) is sent again, for
    `patience` seconds in all, four times that once the service has answered. `Retry-After` is obeyed. Repeating is
    harmless: submits carry an `Idempotency-Key`. Several tasks may share one client.
    """

    verify_webhook = staticmethod(verify_webhook)

    def __init__(self, api_key: str | None = None, url: str | None = None, *, patience: float = PATIENCE) -> None:
        headers = {"Authorization": authorization(api_key), "User-Agent": f"astra-client/{__version__}"}
        self._session = Session(api_root(url), self._connect(headers), patience)

    def _connect(self, headers: Mapping[str, str]) -> Network:
        return AsyncNetwork(headers)

    async def __aenter__(self) -> "AsyncAstra":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.network.close()

    async def submit(
        self,
        operation: str,
        scene_ids: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit a job and return it as it is then, most often `queued`.

        `scene_ids` is one id, or several. The key makes it harmless to submit the same once more within a day.
        """
        scenes = [scene_ids] if isinstance(scene_ids, str) else list(scene_ids)
        body: dict[str, Any] = {"operation": operation, "scene_ids": scenes, "params": dict(params or {})}
        if webhook_url is not None:
            body["webhook_url"] = webhook_url
        return await self.submit_body(body, idempotency_key=idempotency_key)

    async def submit_body(self, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Job:
        """Submit a request body as the API's documentation has it."""
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        return Job(await self._session.json("POST", "/process", json=dict(body), headers=headers))

    async def run(
        self,
        operation: str,
        scene_ids: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        webhook_url: str | None = None,
        timeout: float | None = None,
        on_progress: OnProgress = ignore,
    ) -> Job:
        """Submit a job, wait for its end, and return it. Raises as `wait` does."""
        job = await self.submit(operation, scene_ids, params, webhook_url=webhook_url)
        return await self.wait(job, timeout=timeout, on_progress=on_progress)

    async def wait(self, job: Job | str, *, timeout: float | None = None, on_progress: OnProgress = ignore) -> Job:
        """Poll a job as often as the service asks for, and return it once it is completed.

        `on_progress` is called with the job whenever it has changed. Raises JobFailed, or StillRunning after
        `timeout` seconds.
        """
        ends_at = time.monotonic() + timeout if timeout is not None else float("inf")
        found, etag = None, ""
        while True:
            answer = await self._session.ask("GET", _path_of(job), headers={"If-None-Match": etag} if etag else {})
            if answer.status_code != 304 or found is None:
                found, etag = Job(body_of(answer)), answer.headers.get("ETag", "")
                on_progress(found)
            if found.is_finished:
                return _completed(found)
            pause = retry_after(answer)
            pause = _POLL_SECONDS if pause is None else pause
            if time.monotonic() + pause > ends_at:
                raise errors.StillRunning(f"{found.job_id} is {found.status} ({found.progress} %) and goes on.")
            await self._session.network.sleep(pause)

    async def job(self, job: Job | str) -> Job:
        """The job as it is now."""
        return Job(await self._session.json("GET", _path_of(job)))

    async def jobs(
        self,
        *,
        status: str | None = None,
        operation: str | None = None,
        created_after: str | None = None,
        created_before: str | None = None,
    ) -> AsyncIterator[Job]:
        """All jobs of the account that fit, newest first. Pages are fetched as they are needed."""
        wanted = {"status": status, "operation": operation}
        wanted |= {"created_after": created_after, "created_before": created_before}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = await self._session.json("GET", "/process", params=query)
            for body in page["jobs"]:
                yield Job(body)
            if not page.get("next"):
                return
            # Of the link only the cursor is taken: the key is sent nowhere but to `url`.
            query["cursor"] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]

    async def cancel(self, job: Job | str) -> Job:
        """Cancel a job that is not finished; it ends failed with the code CANCELED. Raises Conflict if it is."""
        try:
            return Job(await self._session.json("DELETE", _path_of(job)))
        except errors.Conflict as refusal:
            # The first try may have reached the service although its answer did not reach us.
            found = await self.job(job) if refusal.is_repeated else None
            if found is None or (found.error or {}).get("code") != "CANCELED":
                raise
            return found

    async def download(self, job: Job | str, path: str | PathLike[str], *, on_bytes: OnBytes = ignore) -> Path:
        """Save the result of a completed job at `path`, and return the path.

        A connection that breaks is taken up where it broke. The file has another name until its size and SHA-256
        are those that the job names; if it cannot be had, what was at `path` stays. `on_bytes` is called with the
        bytes received and the bytes in all. Raises NoResult (ResultDeleted), CorruptDownload, CannotWrite.
        """
        found = await self.job(job)
        with PartialFile(Path(path), found.result or {}, on_bytes) as file:
            await self._session.receive(file, self._links(found))
            return file.keep()

    async def account(self) -> dict[str, Any]:
        """Plan, limits, what remains of them, usage and keys."""
        return await self._session.json("GET", "/account")

    async def scenes(self, scene_id: str) -> dict[str, Any]:
        """One scene as a STAC Item, with its bands as a job would read them."""
        return await self._session.json("GET", f"/scenes/{quote(scene_id, safe=':')}")

    async def _links(self, job: Job) -> AsyncIterator[str]:
        """The link to the job's file, signed anew each time. Raises NoResult."""
        while True:
            if job.result is None:
                raise errors.NoResult(f"{job.job_id} is {job.status}, so it has no file to download.")
            if job.result.href is None:
                raise errors.ResultDeleted
            yield job.result.href
            job = await self.job(job)


def _path_of(job: Job | str) -> str:
    return "/process/" + quote(job if isinstance(job, str) else job.job_id, safe="")


def _completed(job: Job) -> Job:
    if job.status == "failed":
        raise errors.JobFailed(job)
    return job
