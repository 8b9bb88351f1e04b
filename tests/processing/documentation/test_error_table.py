"""The table of errors has every code that there is, and no other."""

import re
from pathlib import Path

from django.test import Client

from astra.exceptions import Problem
from processing.documentation.error_table import error_table, raster_codes

ROOT = Path(__file__).resolve().parents[3]


def codes_in_the_code() -> set[str]:
    """The codes with which jobs end outside of the raster code."""
    texts = [path.read_text() for path in (ROOT / "processing").glob("*.py")]
    texts += [path.read_text() for path in (ROOT / "processing" / "models").glob("*.py")]
    return {code for text in texts for code in re.findall(r'error_body\(\s*"([A-Z_]+)"', text)}


def test_table_has_every_code_and_no_other() -> None:
    there_are = {problem.code for problem in Problem} | raster_codes() | codes_in_the_code()
    assert codes_in_the_code()
    assert {row.code for row in error_table()} == there_are


def test_every_code_says_when_and_what_to_do() -> None:
    assert all(row.when.endswith(".") and row.advice.endswith(".") for row in error_table())


def test_failed_jobs_and_answers_are_told_apart() -> None:
    rows = {row.code: row for row in error_table()}
    assert (rows["TIMED_OUT"].statuses, rows["TIMED_OUT"].fails_jobs) == ((), True)
    assert (rows["NOT_FOUND"].statuses, rows["NOT_FOUND"].fails_jobs) == ((404,), False)
    assert (rows["SCENE_NOT_FOUND"].statuses, rows["SCENE_NOT_FOUND"].fails_jobs) == ((404,), True)


def test_every_code_can_be_linked_to(client: Client) -> None:
    html = client.get("/docs/errors/").content.decode()
    assert [row.code for row in error_table() if f'id="{row.code}"' not in html] == []
