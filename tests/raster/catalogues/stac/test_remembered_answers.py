"""Answers of a catalogue are remembered for a while, one by one, and failures are not."""

import time

import pytest

from processing.raster.errors import SceneNotFound
from tests.raster.catalogues.stac.answers import EMPTY, FOUND, ITEM_ID, PRODUCT, sentinel_2, unavailable
from tests.raster.support.misbehaving import LOGIN_PAGE, AnyServer, content

pytestmark = pytest.mark.usefixtures("naps")

ANOTHER = PRODUCT.replace("T32TPS", "T32TPT")


def test_second_search_for_a_scene_asks_nothing() -> None:
    with AnyServer(FOUND) as server:
        first = sentinel_2(server)
        asked = len(server.asked)
        assert sentinel_2(server).item == first.item
        assert len(server.asked) == asked
        with pytest.raises(SceneNotFound):
            sentinel_2(server, ANOTHER)
        assert len(server.asked) > asked


def test_answer_is_forgotten_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour_later = time.monotonic() + 3600
    with AnyServer(FOUND) as server:
        sentinel_2(server)
        asked = len(server.asked)
        monkeypatch.setattr("processing.http.recent.time.monotonic", lambda: an_hour_later)
        sentinel_2(server)
        assert len(server.asked) == 2 * asked


def test_failure_is_not_remembered() -> None:
    with AnyServer(content(LOGIN_PAGE, headers={"Content-Type": "text/html"}), FOUND) as server:
        with unavailable(server):
            sentinel_2(server)
        assert sentinel_2(server).item_id == ITEM_ID


def test_answer_of_one_catalogue_is_not_that_of_another() -> None:
    with AnyServer(FOUND) as one, AnyServer(EMPTY) as other:
        assert sentinel_2(one).item_id == ITEM_ID
        with pytest.raises(SceneNotFound):
            sentinel_2(other)
