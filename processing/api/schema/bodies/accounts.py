"""What an account, an operation, a ping and the probes answer with."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from accounts.models import Account as AccountRow
from accounts.models import ApiKey
from accounts.plans import Limits

from .body import Body, OpenBody, one_of

_Mode = Annotated[str, one_of(ApiKey.Mode.values)]


class Remaining(Body):
    """Requests that may be sent at once now, and today."""

    burst: int
    requests_per_day: int


class KeyUsage(Body):
    """Of one key on one day."""

    label: str
    last_four: str
    requests: int
    errors: int
    jobs: int
    megapixels: float


class DayOfUsage(Body):
    """Of all keys on one day (UTC)."""

    date: date
    requests: int
    errors: int
    jobs: int
    megapixels: float = Field(description="Of results.")
    by_key: list[KeyUsage]


class Usage(Body):
    """Today, and the 30 days before, the latest first."""

    today: DayOfUsage
    days: list[DayOfUsage]


class Key(Body):
    """An API key that works, without its secret."""

    label: str
    mode: _Mode
    scope: Annotated[str, one_of(ApiKey.Scope.values)]
    last_four: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class Account(Body):
    """The account's plan, limits and usage, in the mode of the caller's key."""

    account: str
    plan: Annotated[str, one_of(AccountRow.Plan.values)]
    mode: _Mode
    limits: Limits
    remaining: Remaining
    usage: Usage
    keys: list[Key]


class Operation(Body):
    """What a job can do, and the JSON Schema that its params are checked with."""

    name: str
    title: str
    description: str
    scenes: int = Field(description="How many scenes it takes.")
    scene_roles: list[str]
    params: dict[str, Any]


class Operations(Body):
    operations: list[Operation]


class WebhookTest(Body):
    """A receiver to be tried."""

    url: str = Field(max_length=2000, description="A public https address, at port 443 or 8443.")


class WebhookTestResult(Body):
    """What came of one signed ping."""

    delivered: bool
    response_status: int | None
    milliseconds: int
    note: str = Field(description="What went wrong; empty if nothing did.")
    headers: dict[str, str] = Field(description="The headers that were sent.")


class Ping(Body):
    """The body of a test."""

    event: Literal["ping"]
    sent_at: datetime


class Health(Body):
    status: Literal["ok"]


class Readiness(OpenBody):
    """Whether the process can serve, and what is wrong elsewhere."""

    status: Annotated[str, one_of(["ok", "degraded"])]
    degraded: list[str] = Field(description="Names of what is wrong although the process is ready.")
