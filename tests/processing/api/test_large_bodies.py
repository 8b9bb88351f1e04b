"""Whatever 64 KiB hold, a submit is answered at once, in little memory, and with a short answer."""

import ctypes
import gc
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.answers import Answer
from tests.processing.jobs import EXAMPLE, SCENE, URL

LIMIT = 64 * 1024
MOST_GROWTH = 80 << 20  # bytes
TIMES_THE_BASELINE = 20
CHANGE = {"operation": "change_detection", "scene_ids": ["sentinel-2:S2B_MSIL2A_20240715T184929", SCENE]}
CLEAR_REFS, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def fill(make: Callable[[int], Any]) -> bytes:
    """The largest of the bodies `make(1)`, `make(2)`, ... that is taken."""
    low, high = 1, LIMIT
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(encode(make(middle))) <= LIMIT else (low, middle - 1)
    return encode(make(low))


def encode(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def names(count: int) -> dict[str, int]:
    return {f"x{number:x}": 0 for number in range(count)}


def with_area(kind: str, coordinates: Any) -> dict[str, Any]:
    return {**EXAMPLE, "params": {"aoi": {"type": kind, "coordinates": coordinates}}}


def box(west: float, south: float, side: float) -> list[list[float]]:
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def zigzag() -> list[list[float]]:
    """1,000 vertices whose edges all run around the Earth."""
    there = [[-178 if number % 2 else 179, -80 + 160 * number / 499] for number in range(499)]
    back = [[lon + 0.5, lat] for lon, lat in reversed(there)]
    return [*there, *back, there[0]]


def star(step: float) -> list[list[float]]:
    """1,000 vertices around a point; it crosses itself if the steps are large."""
    angles = [number * step for number in range(999)]
    ring = [[10 + 5 * math.cos(angle), 50 + 5 * math.sin(angle)] for angle in angles]
    return [*ring, ring[0]]


def comb() -> list[list[float]]:
    """1,000 vertices whose teeth touch one line."""
    teeth = [[10 + number * 0.001, 51 if number % 2 else 50] for number in range(996)]
    return [*teeth, [11, 52], [10, 52], teeth[0]]


BODIES: dict[str, bytes] = {
    "unknown fields": fill(lambda count: {**EXAMPLE, **names(count)}),
    "unknown field with a long name": fill(lambda count: {**EXAMPLE, "a" * count: 0}),
    "unknown fields with long names": fill(lambda count: EXAMPLE | {f"{n}{'a' * count}": 0 for n in range(60)}),
    "unknown params": fill(lambda count: {**CHANGE, "params": names(count)}),
    "unknown fields and params": fill(lambda count: {**EXAMPLE, **names(count), "params": names(count)}),
    "bands": fill(lambda count: {**CHANGE, "params": {"bands": ["a"] * count}}),
    "bands that are none": fill(lambda count: {**CHANGE, "params": {"bands": [{}] * count}}),
    "band with a long name": fill(lambda count: {**CHANGE, "params": {"bands": ["a" * count]}}),
    "scene ids": fill(lambda count: {**EXAMPLE, "scene_ids": ["a"] * count}),
    "scene id with a long name": fill(lambda count: {**EXAMPLE, "scene_ids": ["sentinel-2:" + "S" * count]}),
    "operation with a long name": fill(lambda count: {**EXAMPLE, "operation": "a" * count}),
    "webhook of many dots": encode({**EXAMPLE, "webhook_url": f"https://{'1.' * 990}1/"}),
    "webhook as an array": fill(lambda count: {**EXAMPLE, "webhook_url": [0] * count}),
    "deep arrays": b"[" * (LIMIT // 2) + b"]" * (LIMIT // 2),
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "objects": fill(lambda count: [{}] * count),
    "long numbers": fill(lambda count: [10**4299] * count),
    "long text": fill(lambda count: "\N{DECIDUOUS TREE}" * count),
    "text with a lone surrogate": b'"' + "\N{DECIDUOUS TREE}".encode() * 16_000 + b'\\ud800"',
    "area around the Earth to and fro": encode(with_area("Polygon", [zigzag()])),
    "area of a circle": encode(with_area("Polygon", [star(2 * math.pi / 999)])),
    "area that crosses itself": encode(with_area("Polygon", [star(2.1)])),
    "area like a comb": encode(with_area("Polygon", [comb()])),
    "area of one point": encode(with_area("Polygon", [[[1, 1]] * 1000])),
    "area of too many vertices": fill(lambda count: with_area("Polygon", [[[1, 1]] * count])),
    "area of empty rings": fill(lambda count: with_area("Polygon", [[]] * count)),
    "area of empty polygons": fill(lambda count: with_area("MultiPolygon", [[[]]] * count)),
    "area of many boxes": encode(with_area("MultiPolygon", [[box(n % 20, n // 20, 0.5)] for n in range(200)])),
    "area of nested boxes": encode(with_area("MultiPolygon", [[box(n / 9, n / 9, 60 - n / 4)] for n in range(200)])),
    "area of one box many times": encode(with_area("MultiPolygon", [[box(0, 0, 1)]] * 200)),
    "area of many holes": encode(
        with_area("Polygon", [box(0, 0, 80), *(box(1 + n % 15, 1 + n // 15, 0.5) for n in range(199))])
    ),
    "area of nested holes": encode(
        with_area("Polygon", [box(0, 0, 80), *(box(1 + n / 9, 1 + n / 9, 70 - n / 4) for n in range(199))])
    ),
    "area of holes that touch": encode(
        with_area("Polygon", [box(0, 0, 80), *(box(1 + n / 4, 1, 1 / 4) for n in range(199))])
    ),
    "area with unknown members": fill(
        lambda count: {**EXAMPLE, "params": {"aoi": {"type": "Polygon", **names(count)}}}
    ),
    "area of many numbers": fill(lambda count: {**EXAMPLE, "params": {"aoi": [0] * count}}),
    "area as text": fill(lambda count: {**EXAMPLE, "params": {"aoi": "a" * count}}),
}
BASELINE = fill(lambda count: [0] * count)


def send(client: APIClient, body: bytes) -> Answer:
    return client.generic("POST", URL, body.decode(), content_type="application/json")


def memory(name: str) -> int:
    """Bytes: VmRSS, in use now; VmHWM, the most that was in use."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) << 10


def seconds(work: Callable[[], object]) -> float:
    """The best of three, as other processes run on this machine."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize("name", BODIES)
def test_body_is_taken_or_refused_with_a_short_answer(api: APIClient, name: str) -> None:
    assert len(BODIES[name]) <= LIMIT
    answer = send(api, BODIES[name])
    assert answer.status_code in (202, 400)
    assert len(answer.content) <= LIMIT


@pytest.mark.parametrize("name", BODIES)
def test_body_takes_no_more_than_twenty_times_that_of_a_plain_one(api: APIClient, name: str) -> None:
    """The plain one is refused after 64 KiB of zeros were parsed, which takes some milliseconds."""
    assert seconds(lambda: send(api, BODIES[name])) < TIMES_THE_BASELINE * seconds(lambda: send(api, BASELINE))


@pytest.mark.skipif(not CLEAR_REFS.exists(), reason="peaks of memory are measured on Linux only")
@pytest.mark.parametrize("name", BODIES)
def test_body_takes_little_memory(api: APIClient, name: str) -> None:
    send(api, BASELINE)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR_REFS.write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    send(api, BODIES[name])
    assert memory("VmHWM") - before < MOST_GROWTH


@pytest.mark.parametrize("name", ["unknown fields", "unknown params"])
def test_fifty_faults_are_named_and_the_others_counted(api: APIClient, name: str) -> None:
    body = json.loads(BODIES[name])
    wrong = len(body["params"] if name == "unknown params" else set(body) - set(EXAMPLE))
    error = send(api, BODIES[name]).json()["error"]
    assert len(error["details"]["errors"]) == 50
    assert error["message"].endswith(f" {wrong - 50} more faults are not named.")
