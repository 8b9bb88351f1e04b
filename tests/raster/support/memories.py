"""Makes the service forget what it remembers of hosts. A host of another test may have had the same port."""

from collections import OrderedDict

import pytest

from processing.http import sessions
from processing.raster.catalogues import health, stac
from processing.raster.files import buckets, heads, locations, redirects


def forget_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions._sessions, "_kept", OrderedDict())
    monkeypatch.setattr(heads._heads, "_kept", OrderedDict())
    monkeypatch.setattr(stac._answers, "_kept", OrderedDict())
    monkeypatch.setattr(health._failed, "_kept", OrderedDict())
    monkeypatch.setattr(redirects._final_urls, "_kept", OrderedDict())
    monkeypatch.setattr(locations._tokens, "_kept", {})
    monkeypatch.setattr(buckets, "_learned", {})
