import pytest

from processing.http import fetch


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, hurried: None) -> None:
    """The same limits on time, only shorter."""
    monkeypatch.setattr(fetch, "_TIMEOUT", (1.0, 0.4))
    monkeypatch.setattr(fetch, "_LONGEST_ANSWER", 1.0)
