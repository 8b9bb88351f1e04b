"""A clock that tests can move: it stands in for `django.utils.timezone.now`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still at the moment it was made until `move` is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime.now(UTC)
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def move(self, **span: float) -> None:
        """Go forward; takes what `timedelta` takes."""
        self.now += timedelta(**span)
