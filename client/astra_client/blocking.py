"""The blocking client. Each method runs the method of `AsyncAstra` with the same name, which describes it."""

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .client import PATIENCE, AsyncAstra, OnBytes, OnProgress, ignore
from .jobs import Job
from .network import BlockingNetwork, Network, finish
from .webhooks import verify_webhook


class _Blocking(AsyncAstra):
    def _connect(self, headers: Mapping[str, str]) -> Network:
        return BlockingNetwork(headers)


class Astra:
    """The API: `Astra().run("ndvi", "sentinel-2:TEST_OK")`.

    Without `api_key` and `url` they are those of ASTRA_API_KEY and ASTRA_API_URL. Failures that may pass are tried
    again for `patience` seconds, as with `AsyncAstra`. Close it, or use it in a `with`.
    """

    verify_webhook = staticmethod(verify_webhook)

    def __init__(self, api_key: str | None = None, url: str | None = None, *, patience: float = PATIENCE) -> None:
        self._client = _Blocking(api_key, url, patience=patience)

    def __enter__(self) -> "Astra":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        finish(self._client.close())

    def submit(
        self,
        operation: str,
        scene_ids: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit a job and return it as it is then."""
        work = self._client.submit(
            operation, scene_ids, params, webhook_url=webhook_url, idempotency_key=idempotency_key
        )
        return finish(work)

    def submit_body(self, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Job:
        """Submit a request body as the API's documentation has it."""
        return finish(self._client.submit_body(body, idempotency_key=idempotency_key))

    def run(
        self,
        operation: str,
        scene_ids: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        *,
        webhook_url: str | None = None,
        timeout: float | None = None,
        on_progress: OnProgress = ignore,
    ) -> Job:
        """Submit a job, wait for its end, and return it. Raises JobFailed."""
        work = self._client.run(
            operation, scene_ids, params, webhook_url=webhook_url, timeout=timeout, on_progress=on_progress
        )
        return finish(work)

    def wait(self, job: Job | str, *, timeout: float | None = None, on_progress: OnProgress = ignore) -> Job:
        """Poll a job until it is completed. Raises JobFailed, or StillRunning after `timeout` seconds."""
        return finish(self._client.wait(job, timeout=timeout, on_progress=on_progress))

    def job(self, job: Job | str) -> Job:
        """The job as it is now."""
        return finish(self._client.job(job))

    def jobs(
        self,
        *,
        status: str | None = None,
        operation: str | None = None,
        created_after: str | None = None,
        created_before: str | None = None,
    ) -> Iterator[Job]:
        """All jobs of the account that fit, newest first, fetched page by page."""
        found = self._client.jobs(
            status=status, operation=operation, created_after=created_after, created_before=created_before
        )

        async def following() -> Job | None:
            return await anext(found, None)

        while (job := finish(following())) is not None:
            yield job

    def cancel(self, job: Job | str) -> Job:
        """Cancel a job that is not finished."""
        return finish(self._client.cancel(job))

    def download(self, job: Job | str, path: str | PathLike[str], *, on_bytes: OnBytes = ignore) -> Path:
        """Save the result of a completed job at `path`, checked, or leave nothing."""
        return finish(self._client.download(job, path, on_bytes=on_bytes))

    def account(self) -> dict[str, Any]:
        """Plan, limits, what remains of them, usage and keys."""
        return finish(self._client.account())

    def scenes(self, scene_id: str) -> dict[str, Any]:
        """One scene as a STAC Item."""
        return finish(self._client.scenes(scene_id))
