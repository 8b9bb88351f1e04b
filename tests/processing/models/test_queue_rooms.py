"""A process that does not count the queue each time lets no more jobs in than its limit allows."""

import pytest

from processing.models import queue_rooms
from processing.models.queue_rooms import QueueRooms

ACCOUNT, OTHER, MOST = 1, 2, 1000


def taken(rooms: QueueRooms, account_id: int = ACCOUNT, most: int = MOST) -> int:
    count = 0
    while rooms.take(account_id, most):
        count += 1
    return count


@pytest.mark.parametrize(("left", "share"), [(1, 0), (15, 0), (16, 1), (1000, 62)])
def test_a_sixteenth_of_what_is_left_needs_no_look(left: int, share: int) -> None:
    rooms = QueueRooms()
    assert taken(rooms) == 0
    rooms.keep(ACCOUNT, MOST, left)
    assert taken(rooms, OTHER) == 0
    assert taken(rooms, most=MOST - 1) == 0, "the limit was changed since"
    assert taken(rooms) == share
    assert taken(rooms) == 0


def test_a_share_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("processing.models.queue_rooms.monotonic", lambda: now[0])
    rooms = QueueRooms()
    rooms.keep(ACCOUNT, MOST, MOST)
    now[0] += 0.9
    assert rooms.take(ACCOUNT, MOST)
    now[0] += 0.2
    assert not rooms.take(ACCOUNT, MOST)


def test_accounts_are_forgotten_rather_than_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_rooms, "_MOST", 3)
    rooms = QueueRooms()
    for account in range(4):
        rooms.keep(account, MOST, MOST)
    assert [rooms.take(account, MOST) for account in range(4)] == [False, False, False, True]
