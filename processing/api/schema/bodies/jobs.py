"""A job as polls, lists and webhooks show it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, RootModel

from ....models.status import DeliveryStatus, Status
from ....raster.errors import InvalidSceneId, RasterError
from ....raster.operations import all_operations
from .body import ABSENT, Body, OpenBody, one_of
from .items import DryRun
from .results import Result

JOB_ID = r"^job_[0-9A-Za-z]{1,36}$"
_OF_THE_QUEUE = {"TIMED_OUT", "WORKER_LOST", "CANCELED", "INTERNAL_ERROR"}
JOB_CODES = sorted({kind.code for kind in RasterError.__subclasses__()} - {InvalidSceneId.code} | _OF_THE_QUEUE)
WEBHOOK_STATES = ["waiting", *(status.replace(" ", "_") for status in DeliveryStatus.values)]


class JobErrorDetails(OpenBody):
    retryable: bool = Field(description="Whether the same job may succeed later without any change.")


class JobError(Body):
    """Why a job failed."""

    code: Annotated[str, one_of(JOB_CODES)]
    message: str = Field(description="A sentence to act on.")
    details: JobErrorDetails = Field(description="Which scene, band or stage.")


class Retry(Body):
    """Why a job waits for another try, and when that is due."""

    reason: str
    code: Annotated[str, one_of(JOB_CODES)]
    at: datetime


class WebhookState(Body):
    """How the job's webhook went."""

    url: str
    state: Annotated[str, one_of(WEBHOOK_STATES)]
    attempts: int = Field(ge=0)
    last_status: int | None = Field(description="HTTP status of the receiver's latest answer.")
    next_attempt_at: datetime | None = Field(description="null: at once, or never.")


class Job(Body):
    """A processing job. Fields without a value yet are null."""

    job_id: str = Field(pattern=JOB_ID)
    status: Annotated[str, one_of(Status.values)]
    operation: Annotated[str, one_of(all_operations())]
    scene_ids: list[str]
    params: dict[str, Any] = Field(description="As normalised: with their defaults, bands by common name.")
    webhook_url: str | None
    webhook: WebhookState | None
    progress: int = Field(ge=0, le=100, description="Percent. Never falls.")
    attempt: int = Field(ge=0)
    queue_position: int | None = Field(description="While queued: 1 for the next job. Only polls have it.")
    eta_seconds: int | None = Field(description="While queued: seconds to the likely end. Only polls have it.")
    retry: Retry | None
    created_at: datetime
    started_at: datetime | None = Field(description="When the first attempt began.")
    completed_at: datetime | None
    duration_ms: int | None = Field(description="From `created_at` to `completed_at`.")
    result: Result | None
    warnings: list[str] = Field(description="What to be wary of in this result.")
    error: JobError | None


class JobOrDryRun(RootModel[Job | DryRun]):
    """The job; with `dry_run`, what it would do."""


class JobPage(Body):
    """Jobs of the account, newest first."""

    jobs: list[Job]
    next: str | None = Field(description="Link to the next page; null on the last one.")


class JobEvent(Body):
    """One line of a job's timeline."""

    at: datetime
    event: str = Field(description="Such as submitted, claimed, completed, failed, canceled, expired, webhook.")
    attempt: int = Field(ge=0)
    seconds_after_previous: float | None = Field(description="null for the first line.")
    progress: int = ABSENT
    reason: str = ABSENT
    by: Annotated[str, one_of(["owner", "operator"])] = ABSENT
    bytes_stored: int = ABSENT
    response_status: int = ABSENT
    milliseconds: int = ABSENT


class JobEvents(Body):
    """What happened to a job, and each attempt to send its webhook, in order."""

    job_id: str = Field(pattern=JOB_ID)
    events: list[JobEvent]
