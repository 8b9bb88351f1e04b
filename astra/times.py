"""Times as callers see them: in UTC, with whole seconds."""

from datetime import UTC, datetime

WHOLE_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


def as_text(time: datetime) -> str:
    """Such as 2025-01-15T19:00:00Z."""
    return time.astimezone(UTC).strftime(WHOLE_SECONDS)
