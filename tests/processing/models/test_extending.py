"""Staff keep a result longer, and no longer than a link can last."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.jobs import completed, failed, verbs


def test_result_is_kept_a_day_longer(key: ApiKey) -> None:
    job = completed(key)
    before = job.expires_at
    assert job.extend_result("maria")
    assert before is not None
    assert job.expires_at == before + timedelta(days=1)
    assert verbs(job)[-1] == "extend"


def test_result_is_never_kept_beyond_seven_days(key: ApiKey) -> None:
    job = completed(key)
    assert [job.extend_result("maria") for _ in range(8)] == [True] * 6 + [False] * 2
    assert job.expires_at is not None
    assert job.expires_at <= timezone.now() + timedelta(days=7)


def test_what_has_no_file_is_not_extended(key: ApiKey) -> None:
    gone, broken = completed(key), failed(key)
    Job.objects.filter(pk=gone.pk).update(result_key="")
    assert not gone.extend_result("maria")
    assert not broken.extend_result("maria")
    assert verbs(gone)[-1] == "complete"
