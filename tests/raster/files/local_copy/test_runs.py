"""Runs: spans that lie near each other are worth one request, up to a size."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.files import local_copy
from processing.raster.files.local_copy import runs
from processing.raster.files.ranges import Span

NEAR, MOST = 100, 1000
spans = st.builds(lambda start, length: Span(start, start + length), st.integers(0, 5000), st.integers(1, 2000))


@pytest.fixture(scope="module", autouse=True)
def _small_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_copy, "_NEAR_BYTES", NEAR)
        patch.setattr(local_copy, "_MOST_REQUEST_BYTES", MOST)
        yield


def length_of(run: list[Span]) -> int:
    return max(span.stop for span in run) - run[0].start


@given(st.lists(spans, max_size=30))
def test_runs_hold_all_spans_in_order_and_are_no_longer_than_a_request(wanted: list[Span]) -> None:
    made = list(runs(wanted))
    assert [span for run in made for span in run] == sorted(wanted)
    for run in made:
        assert length_of(run) <= max(MOST, *(span.stop - span.start for span in run), 0)


@given(st.lists(st.tuples(st.integers(0, 2 * NEAR), st.integers(1, MOST)), min_size=1, max_size=30))
def test_next_run_begins_only_far_away_or_once_the_last_is_long(gaps_and_lengths: list[tuple[int, int]]) -> None:
    wanted, end = [], 0
    for gap, length in gaps_and_lengths:
        wanted.append(Span(end + gap, end + gap + length))
        end = wanted[-1].stop
    for run, following in pairwise(runs(wanted)):
        is_far = following[0].start - run[-1].stop > NEAR
        assert is_far or length_of([*run, following[0]]) > MOST
