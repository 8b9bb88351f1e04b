"""The pages that are measured, as a member of staff opens them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import Account, ApiKey
from processing.models import Job
from processing.models.status import Status

from .rows import AT_WORK, Rows, job_id

_OTHERS = 50

Page = Callable[[], Any]


class ConsolePages:
    def __init__(self, key: ApiKey, jobs: int, queued: int) -> None:
        self._key, self._jobs, self._queued = key, jobs, queued
        self._staff = Client()
        self._staff.force_login(User.objects.create_superuser("staff"))

    @classmethod
    def on_new_rows(cls, jobs: int, queued: int) -> Self:
        accounts = [Account.objects.create(name=f"account {n}", plan=Account.Plan.SCALE) for n in range(_OTHERS + 1)]
        Rows(jobs, queued, accounts).write()
        return cls(ApiKey.objects.issue(accounts[0], "test")[0], jobs, queued)

    def all(self) -> Mapping[str, Page]:
        failed = reverse("failures")
        return {
            "front page": self._get(reverse("admin:index")),
            "failure groups": self._get(failed),
            **{f"list: {name}": self._list(**query) for name, query in self._lists().items()},
            **{f"job: {name}": self._job(n) for name, n in self._numbers().items()},
        }

    def _lists(self) -> Mapping[str, dict[str, str]]:
        deep = Job.objects.get(pk=job_id(self._jobs))
        searches = {
            "job id": deep.pk,
            "beginning of a job id": deep.pk[:10],
            "scene": deep.scene_ids[0],
            "beginning of a scene": "S2B_MSIL2A_2025",
            "unknown scene": "sentinel-2:S2C_MSIL2A_20990101",
            "unknown request": "0123456789abcdef",
            "last four of a key": self._key.last_four,
            "error code": "SCENE_UNREADABLE",
        }
        return {
            "first page": {},
            "last page": {"p": "200"},
            **{f"status {status}": {"status__exact": status} for status in Status.values},
            "error code": {"error_code": "SCENE_UNREADABLE"},
            "rare operation": {"operation": "change_detection"},
            "provider without jobs": {"provider": "landsat"},
            "mode without jobs": {"mode__exact": "live"},
            "large account": {"account": "account 0"},
            "small account": {"account": "account 9"},
            "failed jobs of a small account": {"account": "account 9", "status__exact": "failed"},
            "created in an hour ten days ago": self._an_hour(),
            **{f"search by {name}": {"q": text} for name, text in searches.items()},
        }

    def _an_hour(self) -> dict[str, str]:
        begin = Job.objects.earliest("created_at").created_at + timedelta(days=1)
        return {"created_at__gte": begin.isoformat(), "created_at__lt": (begin + timedelta(hours=1)).isoformat()}

    def _numbers(self) -> Mapping[str, int]:
        completed, failed = self._queued + AT_WORK + 101, 200 * (self._queued // 200 + 2)
        return {"queued": 7, "completed": completed, "failed": failed, "oldest": self._jobs}

    def _list(self, **query: str) -> Page:
        return self._get(f"{reverse('admin:processing_job_changelist')}?{urlencode(query)}")

    def _job(self, number: int) -> Page:
        return self._get(reverse("admin:processing_job_change", args=[quote(job_id(number))]))

    def _get(self, path: str) -> Page:
        def get() -> None:
            answer = self._staff.get(path)
            if answer.status_code != 200:
                raise SystemExit(f"{path}: {answer.status_code} {answer.content[:500]!r}")

        return get
