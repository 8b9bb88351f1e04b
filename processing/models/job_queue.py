"""The jobs as a queue: submitted once, claimed once, and found again if something falls through.

The queue is fair to accounts: a job's `turn` is one more than that of the account's last job in the queue, but at least
one more than the turn now being worked on. So accounts take turns, however many jobs each has, and none waits for ever
(start-time fair queueing: Goyal, Vin and Cheng 1996). Jobs of an account that has as many at work as its plan allows
are parked, so that nobody looks through them: each end of a job lets the next one go on.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, Self, TypedDict, Unpack

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject, Now

from accounts.models import Account, ApiKey
from astra.databases.compiled import CompiledInsert, CompiledQuery

from .deliveries import WebhookDelivery
from .idempotency import IdempotencyKey, body_digest
from .queue_rooms import QueueRooms
from .status import Status

if TYPE_CHECKING:
    from .jobs import Job


class Wanted(TypedDict):
    """The columns that a submit fills. `origin` is the base of the absolute links in webhooks."""

    operation: str
    scene_ids: list[str]
    params: dict[str, Any]
    webhook_url: str | None
    origin: str
    request_id: NotRequired[str]


class QueuedKind(NamedTuple):
    """How many queued jobs of a kind an account has, and how many of them come before another job."""

    account_id: int
    operation: str
    mode: str
    queued: int
    ahead: int


class QueueFull(Exception):
    """The account has as many jobs in the queue as its plan allows."""


# What `with_webhook` reads, as one value: Django takes a third of a millisecond to write the SQL of each.
_OF_WEBHOOK = JSONObject(
    status="status", attempts="attempts", last_status="last_status", next_attempt_at="next_attempt_at"
)
# Jobs that are parked by one UPDATE.
_PARKED_AT_ONCE = 1000


class JobQuerySet(models.QuerySet["Job"]):
    def submit(self, key: ApiKey, **wanted: Unpack[Wanted]) -> "Job":
        """Write a queued job. Raises QueueFull; submits at the same moment may slip in."""
        turn, parked = _place_of_next(key.account)
        job = self.model(
            account=key.account,
            api_key=key,
            mode=key.mode,
            attempt_limit=settings.JOB_ATTEMPTS,
            turn=turn,
            parked=parked,
            stage="",
            **{"request_id": "", **wanted},
        )
        _insert(self.model).write(job)
        return job

    def submit_once(
        self, key: ApiKey, idempotency_key: str | None, body: Any, **wanted: Unpack[Wanted]
    ) -> "tuple[Job, bool]":
        """Submit, or return the first job if a key of the account and mode sent this idempotency key before.

        Returns the job and whether it is new. Raises KeyOfAnotherBody if the `body` differs, and QueueFull.
        """
        if idempotency_key is None:
            return self.submit(key, **wanted), True
        digest, owner = body_digest(key.mode, body), {"account": key.account, "mode": key.mode, "key": idempotency_key}
        try:
            with transaction.atomic():
                job = self.submit(key, **wanted)
                IdempotencyKey.objects.create(**owner, body_digest=digest, job=job)
        except (IntegrityError, QueueFull):
            first = IdempotencyKey.objects.filter(**owner).first()
            if first is None:
                raise  # the queue is full, or another constraint than that of the key is meant
            return first.job_of(digest), False
        return job, True

    def claim_next(self, taken_by: str, worker: str = "") -> "Job | None":
        """Take the job whose turn it is, to work on it. None if no job is due that may be worked on now.

        `taken_by` is the id of the Celery message that asked for work, `worker` the name of the worker that got it.
        """
        with transaction.atomic():
            while (job := self._first_in_turn()) is not None:
                if self._room_of(job.account_id) <= 0:
                    self._park_all_of(job.account_id)
                elif job.begin_attempt(taken_by, worker):
                    return job
        return None

    def taken_by(self, message_ids: list[str]) -> Self:
        """Jobs at work for these Celery messages."""
        return self.filter(status=Status.PROCESSING, taken_by__in=message_ids)

    def at_work_of(self, worker: str) -> Self:
        """Jobs at work for the worker of this name."""
        return self.at_work().filter(worker=worker)

    def count_beside(self, job: "Job", most: int) -> int:
        """How many other jobs its worker has, and how many more wait for one; no more than `most` are counted."""
        at_work = self.at_work_of(job.worker).exclude(pk=job.pk).order_by()[:most].count()
        return at_work if at_work == most else at_work + len(self.due().values_list("pk")[: most - at_work])

    def due(self) -> Self:
        """Queued jobs that may be claimed now, in the order of their turns."""
        due = self.filter(status=Status.QUEUED, parked=False, due_at__lte=Now())
        return due.order_by("turn", "created_at")

    def lost(self) -> Self:
        """Jobs whose worker has given no sign of life for too long, the longest silent first."""
        return self.filter(status=Status.PROCESSING, lease_until__lt=Now()).order_by("lease_until")

    def with_expired_result(self) -> Self:
        """The first to expire comes first."""
        return self.filter(expires_at__lte=Now()).exclude(result_key="").order_by("expires_at")

    def with_webhook(self) -> Self:
        """With the webhook of each job's last end as `last_webhook`, in the same statement. None if there is none."""
        last = WebhookDelivery.objects.filter(job=OuterRef("pk")).order_by("-pk")
        return self.annotate(last_webhook=Subquery(last.values(found=_OF_WEBHOOK)[:1]))

    def at_work(self) -> Self:
        return self.filter(status=Status.PROCESSING)

    def at_work_by_account(self) -> dict[int, int]:
        return dict(self.at_work().order_by().values_list("account").annotate(count=Count("pk")))

    def queued_beside(self, job: "Job") -> list[QueuedKind]:
        """All that is queued, also what is parked, and how much of it comes before a queued job in turn."""
        earlier = Q(turn__lt=job.turn) | Q(turn=job.turn, created_at__lt=job.created_at)
        kinds = self.filter(status=Status.QUEUED).order_by().values_list("account", "operation", "mode")
        counted = kinds.annotate(queued=Count("pk"), ahead=Count("pk", filter=earlier))
        return [QueuedKind(*kind) for kind in counted]

    def latest_completed(self, operation: str, mode: str) -> Self:
        """The latest to end comes first."""
        done = self.filter(status=Status.COMPLETED, operation=operation, mode=mode, attempt_started_at__isnull=False)
        return done.order_by("-completed_at")

    def with_leftovers(self) -> Self:
        """Failed jobs whose files may be in the storage."""
        return self.filter(has_leftovers=True, status=Status.FAILED).order_by("completed_at")

    def unpark_one_of(self, account_id: int) -> None:
        """Let the next parked job of the account go on."""
        parked = self._next_of(account_id).filter(parked=True)
        self.filter(pk__in=Subquery(parked.values("pk")[:1])).update(parked=False)

    def unpark_where_there_is_room(self) -> None:
        """Of each account that has fewer at work than its plan allows, let so many of the next jobs go on.

        Needed where no end of a job does it: the last one ended while another was being parked, or the plan was raised.
        """
        parked = self.filter(account=OuterRef("pk"), status=Status.QUEUED, parked=True)
        for account_id in list(Account.objects.filter(Exists(parked)).values_list("pk", flat=True)):
            with transaction.atomic():
                room = max(0, self._room_of(account_id))
                following = Subquery(self._next_of(account_id).values("pk")[:room])
                self.filter(pk__in=following, status=Status.QUEUED, parked=True).update(parked=False)

    def _first_in_turn(self) -> "Job | None":
        """No other worker sees it until this transaction ends."""
        return self.due().select_for_update(skip_locked=True).first()

    def _room_of(self, account_id: int) -> int:
        """How many more jobs of the account its plan lets be at work. Two claims do not count at once."""
        account = Account.objects.select_for_update().get(pk=account_id)
        return account.limits.concurrent_jobs - self.at_work().filter(account=account).count()

    def _next_of(self, account_id: int) -> Self:
        """The account's queued jobs whose time has come, in the order of their turns."""
        due = self.filter(account=account_id, status=Status.QUEUED, due_at__lte=Now())
        return due.order_by("turn", "created_at")

    def _park_all_of(self, account_id: int) -> None:
        """Rows that others have locked are left out, as they may be waiting for the account in turn."""
        waiting = self.filter(account=account_id, status=Status.QUEUED, parked=False)
        locked = waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)[:_PARKED_AT_ONCE]
        self.filter(pk__in=list(locked)).update(parked=True)


def _place_of_next(account: Account) -> tuple[int, bool]:
    """The turn of the account's next job, and whether it has to wait for another one of its account.

    Raises QueueFull.
    """
    most = account.limits.queued_jobs
    is_counted = not _rooms.take(account.pk, most)
    found: Any = (_COUNTED_PLACE if is_counted else _PLACE).first(account.pk)
    if is_counted:
        left = most - (found.queued or 0)
        if left <= 0:
            raise QueueFull
        _rooms.keep(account.pk, most, left)
    return max(found.last_turn or 0, found.turn_at_work or 0) + 1, found.has_parked


def _with_place(account_id: int) -> "models.QuerySet[Account]":
    """The account with what decides the place of its next job."""
    jobs = apps.get_model("processing", "Job").objects
    queued = jobs.filter(account=account_id, status=Status.QUEUED).order_by("-turn")
    return Account.objects.filter(pk=account_id).annotate(
        last_turn=Subquery(queued.values("turn")[:1]),
        turn_at_work=Subquery(jobs.at_work().order_by("-turn").values("turn")[:1]),
        has_parked=Exists(queued.filter(parked=True)),
    )


def _with_counted_place(account_id: int) -> "models.QuerySet[Account]":
    queued = apps.get_model("processing", "Job").objects.filter(account=account_id, status=Status.QUEUED)
    count = queued.order_by().values("account").annotate(count=Count("pk")).values("count")
    return _with_place(account_id).annotate(queued=Subquery(count))


_PLACE, _COUNTED_PLACE = CompiledQuery(_with_place, int), CompiledQuery(_with_counted_place, int)
_rooms = QueueRooms()


@cache
def _insert(model: "type[Job]") -> "CompiledInsert[Job]":
    """Due at once by the database's clock, which all claims go by."""
    return CompiledInsert(model, due_at=Now())
