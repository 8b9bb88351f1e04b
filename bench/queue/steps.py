"""What is measured: requests as callers send them, and what workers, sweeps and staff do."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from accounts.models import Account, ApiKey
from processing import tasks
from processing.api.job_query import cursor_after
from processing.api.waiting import waiting_of
from processing.models import IdempotencyKey, Job, WebhookDelivery
from processing.workers.idle import look

from .rows import AT_WORK, Rows, job_id

_OTHERS = 50
_URL = "/api/v1/process"
_EXAMPLE = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}

Step = Callable[[], Any]


class Steps:
    def __init__(self, account: Account, key: str, jobs: int, queued: int) -> None:
        self._account, self._jobs, self._queued = account, jobs, queued
        self._caller, self._staff = Client(headers={"authorization": f"Bearer {key}"}), Client()
        self._staff.force_login(User.objects.create_superuser("staff"))

    @classmethod
    def on_new_rows(cls, jobs: int, queued: int) -> Self:
        accounts = [Account.objects.create(name=f"account {n}", plan=Account.Plan.SCALE) for n in range(_OTHERS + 1)]
        Rows(jobs, queued, accounts).write()
        return cls(accounts[0], ApiKey.objects.issue(accounts[0], "test")[1], jobs, queued)

    def all(self) -> Mapping[str, Step]:
        return {**self._requests(), **self._lists(), **self._work(), **self._sweeps(), **self._watching()}

    def _lists(self) -> Mapping[str, Step]:
        deep = Job.objects.get(pk=job_id(self._jobs * 9 // 10 + 1))
        filters = {
            "first page": "",
            "deep page (behind nine tenths)": f"cursor={cursor_after(deep)}",
            "page of 100": "limit=100",
            "status=queued": "status=queued",
            "status=processing": "status=processing",
            "status=completed": "status=completed",
            "status=failed": "status=failed",
            "operation=ndvi": "operation=ndvi",
            "operation=change_detection": "operation=change_detection",
            "failed change detection": "status=failed&operation=change_detection",
            "before the first": "created_before=2000-01-01T00:00:00Z",
        }
        return {f"list: {name}": self._get(f"{_URL}?{query}") for name, query in filters.items()}

    def _requests(self) -> Mapping[str, Step]:
        waits, done = job_id(7), job_id(self._queued + AT_WORK + 101)
        return {
            "poll: completed": self._get(f"{_URL}/{done}"),
            "poll: queued": self._get(f"{_URL}/{waits}"),
            "place in the queue, worked out": lambda: self._place(waits),
            "submit": self._submit,
            "cancel": lambda: self._caller.delete(f"{_URL}/{self._submit()}"),
        }

    def _work(self) -> Mapping[str, Step]:
        return {
            "claim the next job and fail it": self._claim_and_fail,
            "an idle worker looks for jobs": lambda: look("rasters", 2),
            "an idle worker looks for webhooks": lambda: look("webhooks", 2),
            "claim the next webhook": WebhookDelivery.objects.claim_next,
        }

    def _sweeps(self) -> Mapping[str, Step]:
        return {
            "sweep": tasks.sweep,
            "jobs whose worker is lost": lambda: list(Job.objects.lost()[:500]),
            "jobs of a process that ended": lambda: list(Job.objects.taken_by(["a-message"])),
            "clean up": tasks.clean_up,
            "expired results": lambda: list(Job.objects.with_expired_result().values_list("pk")[:500]),
            "old idempotency keys": lambda: IdempotencyKey.objects.outlived().delete(),
        }

    def _watching(self) -> Mapping[str, Step]:
        admin = "/admin/processing/job/"
        return {
            "/readyz": self._get("/readyz"),
            "/metrics": self._get("/metrics"),
            "admin: list of jobs": self._get(admin, self._staff),
            "admin: failed jobs": self._get(f"{admin}?status__exact=failed", self._staff),
            "admin: a job": self._get(f"{admin}{job_id(self._jobs)}/change/", self._staff),
        }

    def _get(self, path: str, client: Client | None = None) -> Step:
        def get() -> None:
            answer = (client or self._caller).get(path)
            if answer.status_code != 200:
                raise SystemExit(f"{path}: {answer.status_code} {answer.content[:500]!r}")

        return get

    def _place(self, job_id: str) -> None:
        cache.clear()
        waiting_of(Job.objects.get(pk=job_id))

    def _submit(self) -> str:
        answer = self._caller.post(_URL, json.dumps(_EXAMPLE), content_type="application/json")
        return str(answer.json()["job_id"])

    def _claim_and_fail(self) -> None:
        job = Job.objects.claim_next("a-message")
        if job is None or not job.fail({"code": "SCENE_UNREADABLE", "message": "", "details": {"retryable": False}}):
            raise SystemExit("no job was claimed")
