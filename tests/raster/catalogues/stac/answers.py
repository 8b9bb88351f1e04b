"""A catalogue that answers in every way, and what the search for a scene makes of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from processing.raster.catalogues.patience import FOR_A_JOB, Patience
from processing.raster.errors import ProviderUnavailable
from processing.raster.types import Scene
from tests.raster.support.misbehaving import Answer, AnyServer, as_json
from tests.raster.support.served_catalogues import find

PRODUCT = "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
BY_TIME = PRODUCT[:26]
ITEM_ID = "S2A_32TPS_20230602_0_L2A"
NAMES = {"by id": PRODUCT, "by time": BY_TIME, "by the item's id": ITEM_ID}

PROPERTIES = {"s2:product_uri": f"{PRODUCT}.SAFE", "platform": "sentinel-2a", "datetime": "2023-06-02T10:18:03Z"}
ITEM = {
    "type": "Feature",
    "id": ITEM_ID,
    "collection": "sentinel-2-l2a",
    "properties": PROPERTIES,
    "assets": {"red": {"href": "https://files.example/B04.tif"}},
}


def page_of(*items: Any, links: Any = ()) -> Answer:
    return as_json({"type": "FeatureCollection", "features": items, "links": links})


FOUND, EMPTY = page_of(ITEM), page_of()


HURRIED = Patience(seconds=3, asks_again=True)  # enough for a busy machine to ask at all


def sentinel_2(server: AnyServer, name: str = PRODUCT, patience: Patience = FOR_A_JOB) -> Scene:
    return find("sentinel-2", name, server.url, patience=patience)


@contextmanager
def unavailable(server: AnyServer, seconds: float = 10.0) -> Iterator[pytest.ExceptionInfo[ProviderUnavailable]]:
    """Asserts that its body soon raises a ProviderUnavailable that names the host."""
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable) as error:
        yield error
    assert time.monotonic() - started < seconds
    assert error.value.details["host"] == server.host
    assert server.host in error.value.message
    assert (error.value.code, error.value.retryable) == ("PROVIDER_UNAVAILABLE", True)
