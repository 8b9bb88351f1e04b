"""Errands: done soon, once for all who asked meanwhile, and whatever happens to those before."""

import os
import select
import signal
import threading

from astra.broker.soon import Errands

_PATIENCE = 30  # seconds; far more than it takes


def wait_until_done(errands: Errands) -> None:
    done = threading.Event()
    errands.ask(done.set)
    assert done.wait(_PATIENCE)


def test_what_is_asked_for_again_before_its_turn_is_done_once() -> None:
    errands, at_work, may_end, done = Errands(), threading.Event(), threading.Event(), list[str]()

    def hold_up() -> None:
        at_work.set()
        may_end.wait(_PATIENCE)

    errands.ask(hold_up)
    assert at_work.wait(_PATIENCE)
    for name in ("work", "deliver", "work", "work"):
        errands.ask(done.append, name)
    assert done == []
    may_end.set()
    wait_until_done(errands)
    assert done == ["work", "deliver"]


def test_what_is_asked_for_once_it_has_begun_is_done_again() -> None:
    errands, done = Errands(), list[str]()
    for _ in range(2):
        errands.ask(done.append, "work")
        wait_until_done(errands)
    assert done == ["work", "work"]


def test_errand_that_goes_wrong_keeps_no_other_from_being_done() -> None:
    errands, done = Errands(), list[str]()
    errands.ask(int, "no number")
    errands.ask(done.append, "work")
    wait_until_done(errands)
    assert done == ["work"]


def test_process_that_was_forked_does_its_own() -> None:
    errands = Errands()
    wait_until_done(errands)
    receives, sends = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  # of the other process
        errands.ask(os.write, sends, b"done")
        signal.pause()
    try:
        readable, _, _ = select.select([receives], [], [], _PATIENCE)
        assert readable
        assert os.read(receives, 4) == b"done"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
