"""Logs of child processes stay small, and their processes go on writing."""

from pathlib import Path

import pytest

from astra.embedded.log_files import rotate


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "web.log"


def names(log: Path) -> list[str]:
    return sorted(path.name for path in log.parent.iterdir())


def test_small_or_missing_log_stays_as_it_is(log: Path) -> None:
    rotate(log, most_bytes=10)
    assert names(log) == []
    log.write_text("0123456789")
    rotate(log, most_bytes=10)
    assert names(log) == ["web.log"]


def test_process_goes_on_writing_into_the_emptied_file(log: Path) -> None:
    with log.open("ab", buffering=0) as held_open:
        held_open.write(b"first and long\n")
        rotate(log, most_bytes=10)
        held_open.write(b"second\n")
    assert log.read_text() == "second\n"
    assert log.with_name("web.log.1").read_text() == "first and long\n"


def test_only_the_newest_old_logs_are_kept(log: Path) -> None:
    for number in range(1, 6):
        log.write_text(f"lines of run {number}")
        rotate(log, most_bytes=10, kept=3)
    assert names(log) == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert [log.with_name(f"web.log.{number}").read_text()[-1] for number in (1, 2, 3)] == ["5", "4", "3"]
