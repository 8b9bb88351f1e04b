"""What a test run says at its end of the tests that it left out."""

import pytest

from tests import summary

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.fixture
def scenes():
    pytest.skip("the scenes are not here")

def test_one(scenes): ...
def test_another(scenes): ...

@pytest.mark.skip(reason="too slow")
def test_slow(): ...

def test_ok(): ...
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_skipped_tests_are_counted_by_their_reasons(pytester: pytest.Pytester, workers: int) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-p", "no:django", "-n", str(workers), plugins=[summary])
    result.assert_outcomes(passed=1, skipped=3)
    result.stdout.fnmatch_lines(["*NOT TESTED*", "2 tests: the scenes are not here", "1 tests: too slow"])


@pytest.mark.parametrize("workers", [0, 2])
def test_tests_that_ran_inside_of_another_are_named(pytester: pytest.Pytester, workers: int) -> None:
    pytester.makepyfile("def test_suite(record_property): record_property('on another set', 3)")
    result = pytester.runpytest_inprocess("-p", "no:django", "-n", str(workers), plugins=[summary])
    result.stdout.fnmatch_lines(["3 tests passed also on another set (*test_suite)"])


def test_nothing_is_said_where_every_test_ran(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_ok(): ...")
    result = pytester.runpytest_inprocess("-p", "no:django", "-n", "0", plugins=[summary])
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*NOT TESTED*")
