"""What the service remembers of hosts, forgotten: each test may get the port of another one's host."""

import pytest

from processing.http.recent import Recent
from processing.raster.catalogues import health, stac
from processing.raster.files import buckets, locations, redirects
from processing.raster.files.tokens import Tokens


def forget_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stac, "_answers", Recent(seconds=120, most=64))
    monkeypatch.setattr(health, "_failed", Recent(seconds=60, most=64))
    monkeypatch.setattr(locations, "_tokens", Tokens())
    monkeypatch.setattr(redirects, "_final_urls", Recent(seconds=60, most=256))
    monkeypatch.setattr(buckets, "_learned", {})
