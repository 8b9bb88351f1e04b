from collections.abc import Iterator

import pytest

from processing.raster import remote, stac


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """No test is answered with what a catalogue said in another, whose port it may have got."""
    yield
    stac._answers.clear()
    remote._tokens._kept.clear()
    remote._final_urls.clear()
