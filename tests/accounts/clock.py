"""A clock that tests can move: it stands in for `django.utils.timezone.now`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still until `move` is called.

    It begins a little after the real clock, which the columns' defaults go on using.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime.now(UTC) + timedelta(seconds=5)
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def move(self, **span: float) -> None:
        """Go forward; takes what `timedelta` takes."""
        self.now += timedelta(**span)
