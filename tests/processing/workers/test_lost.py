"""Jobs whose worker process ended: back in the queue at once, and charged only if the job was at fault."""

import pytest

from accounts.models import ApiKey
from processing.models import Job, WebhookDelivery
from processing.workers.lost import end_lost, is_crash, set_free, take_over
from tests.processing.jobs import HOOK, claim, failed, queued, row, take_messages, verbs


@pytest.mark.parametrize(
    ("message", "charged"),
    [
        ("Worker exited prematurely: signal 11 (SIGSEGV) Job: 3.", True),
        ("Worker exited prematurely: signal 7 (SIGBUS) Job: 3.", True),
        ("Worker exited prematurely: signal 6 (SIGABRT) Job: 3.", True),
        ("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.", False),
        ("Worker exited prematurely: signal 15 (SIGTERM) Job: 3.", False),
        ("Worker exited prematurely: exitcode 70 Job: 3.", False),
    ],
)
def test_only_crashes_are_charged(message: str, charged: bool) -> None:
    assert is_crash(message) is charged


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("charged", "attempt", "losses"), [(True, 1, 0), (False, 0, 1)])
def test_job_of_a_lost_process_is_due_again_at_once(key: ApiKey, charged: bool, attempt: int, losses: int) -> None:
    lost, alive = queued(key), queued(key)
    assert claim(lost, "its message") is not None
    assert claim(alive, "another message") is not None
    end_lost(["its message"], charged=charged)
    stored = row(lost)
    assert (stored["status"], stored["attempt"], stored["losses"]) == ("queued", attempt, losses)
    assert verbs(alive) == ["claim"]
    assert take_messages() == ["work"]
    assert claim(lost) is not None


@pytest.mark.django_db(transaction=True)
def test_worker_that_starts_hands_back_what_the_one_of_its_name_had(key: ApiKey) -> None:
    lost, alive = queued(key), queued(key)
    assert Job.objects.claim_next("one message", "rasters@here") == lost
    assert Job.objects.claim_next("another message", "rasters@there") == alive
    take_over("rasters@here")
    assert (row(lost)["status"], row(lost)["attempt"], row(alive)["status"]) == ("queued", 0, "processing")
    assert take_messages() == ["work"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whole_worker", [False, True])
def test_webhook_of_a_lost_process_or_worker_is_due_again_at_once(key: ApiKey, whole_worker: bool) -> None:
    delivery = failed(key, webhook_url=HOOK).deliveries.get()
    assert WebhookDelivery.objects.claim_next("its message", "webhooks@here") == delivery
    take_over("webhooks@there")
    set_free(taken_by="another message")
    assert not WebhookDelivery.objects.due().exists()
    if whole_worker:
        take_over("webhooks@here")
    else:
        set_free(taken_by="its message")
    assert WebhookDelivery.objects.claim_next("a third message", "webhooks@there") == delivery
