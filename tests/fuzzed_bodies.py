"""Bodies of requests as an attacker would send them: odd texts, odd JSON, and the documented ones with odd values."""

import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.processing.jobs import SCENE

OTHER_SCENE = "sentinel-2:S2B_MSIL2A_20240715T184929"
NASTY = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\r\n",
        "é",
        "\ud800",
        "%00",
        "%",
        "..",
        "../../etc/passwd",
        "'",
        '"',
        "{}",
        "[]",
        "null",
        "-1",
        "9" * 5000,
    ]
)
TEXT = st.one_of(NASTY, st.text(max_size=40), st.text(alphabet="0123456789:-TZ|+.", max_size=40))
# Rings of polygons: a proper one, and what is wrong with others.
_RINGS: list[Any] = [
    [[[-1, -1], [1, -1], [1, 1], [-1, -1]]],
    [[[-1, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]]],  # crosses itself
    [[[-1, -1], [1, -1], [1, 1], [0, 0]]],  # not closed
    [[[-1, -1], [1, -1], [1, "1"], [-1, -1]]],
    [[[170, -80], [-170, -80], [-170, 80], [170, -80]]],  # its outline is too long
    [[[0, 0]] * 60_000],
    [],
]
NUMBER = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**30), 1e308, 0, 1]))


def bodies() -> st.SearchStrategy[bytes]:
    proper = _submits().map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
    any_json = _json().map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
    spoilt = st.builds(_spoil, proper, st.integers(0, 300), st.binary(max_size=4))
    deep = st.integers(1, 30_000).map(lambda depth: b"[" * depth)
    odd = st.one_of(any_json, spoilt, _unusual(), deep, st.binary(max_size=60), st.just(b" " * 70_000))
    return st.one_of(proper, proper, proper, odd)


def _unusual() -> st.SearchStrategy[bytes]:
    """What Python's own JSON never writes, as the params of a proper body."""
    start = json.dumps({"operation": "ndvi", "scene_ids": [SCENE]}).encode()[:-1] + b', "params": '
    numbers = (b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-0", b"01")
    texts = (b'{"a": 1, "a": 2}', b'"\\u0000"', b'"\\ud800"', b'"\xff"', b'{"colormap": "\\ud83d"}', b"'", b"")
    return st.sampled_from([*numbers, *texts]).map(lambda fragment: start + fragment + b"}")


def submits_of_params() -> st.SearchStrategy[bytes]:
    """Proper bodies but for their params and flags."""
    return _proper_submits().map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))


def pings() -> st.SearchStrategy[bytes]:
    inner = st.sampled_from(["https://127.0.0.1/", "https://[::1]/", "http://example.com/", "https://10.0.0.1:99999/"])
    bodies = st.fixed_dictionaries({"url": st.one_of(inner, _json())}, optional={"x": _json()})
    return st.one_of(bodies, _json()).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))


def _spoil(body: bytes, position: int, inserted: bytes) -> bytes:
    return body[:position] + inserted + body[position + 1 :]


@cache
def _json() -> st.SearchStrategy[Any]:
    plain = st.one_of(st.none(), st.booleans(), NUMBER, TEXT)
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
    )


def any_json() -> st.SearchStrategy[Any]:
    return _json()


def _proper_submits() -> st.SearchStrategy[dict[str, Any]]:
    ndvi = {"operation": "ndvi", "scene_ids": [SCENE]}
    change = {"operation": "change_detection", "scene_ids": [OTHER_SCENE, SCENE]}
    base = st.sampled_from([ndvi, ndvi, change])
    flags = st.fixed_dictionaries({}, optional={"dry_run": st.one_of(st.booleans(), _json())})
    return st.one_of(
        st.builds(lambda body, flags: {**body, **flags}, base, flags),
        st.builds(lambda body, params: {**body, "params": params}, base, _params()),
        st.builds(lambda body, area: {**body, "params": {"aoi": area}}, base, _areas()),
    )


def _submits() -> st.SearchStrategy[dict[str, Any]]:
    """The documented bodies with some fields and params changed, so that they get past the first checks."""
    scenes = st.lists(st.one_of(st.sampled_from([SCENE, OTHER_SCENE, "Sentinel-2:x"]), TEXT, _json()), max_size=3)
    optional = {"operation": _json(), "scene_ids": scenes, "webhook_url": _urls(), "params": _json()}
    changes = st.fixed_dictionaries({}, optional=optional)
    return st.one_of(
        _proper_submits(), st.builds(lambda body, changed: {**body, **changed}, _proper_submits(), changes)
    )


@cache
def _params() -> st.SearchStrategy[dict[str, Any]]:
    number = st.one_of(st.floats(0, 1), NUMBER)
    names = st.sampled_from(["red", "nir", "B04", "Red", "swir16", "green", "x/y"])
    choices = {
        "aoi": _areas(),
        "threshold": number,
        "bands": st.one_of(st.lists(names, max_size=4), st.lists(_json(), max_size=3)),
        "cloud_mask": st.one_of(st.booleans(), _json()),
        "mask_dilation": number,
        "colormap": st.one_of(st.sampled_from(["greens", "jet"]), _json()),
        "precision": st.one_of(st.sampled_from(["full", "compact"]), _json()),
    }
    single = [st.fixed_dictionaries({name: values}) for name, values in choices.items()]
    return st.one_of(*single, st.fixed_dictionaries({}, optional=choices))


@cache
def _areas() -> st.SearchStrategy[Any]:
    degrees = st.one_of(st.floats(-90, 90), st.floats(-90, 90), NUMBER)
    position = st.lists(degrees, min_size=2, max_size=3)
    ring = st.lists(position, max_size=6).map(lambda ring: ring + ring[:1])
    rings = st.one_of(st.lists(ring, max_size=2), st.lists(st.lists(ring, max_size=2), max_size=2), _json())
    around = st.sampled_from(_RINGS)
    kinds = st.sampled_from(["Polygon", "MultiPolygon", "Point"])
    polygon = st.fixed_dictionaries({"type": kinds, "coordinates": st.one_of(around, rings)}, optional={"x": TEXT})
    return st.one_of(st.lists(degrees, min_size=4, max_size=4), st.lists(NUMBER, max_size=5), polygon, _json())


def _urls() -> st.SearchStrategy[Any]:
    known = st.sampled_from(["https://example.com/", "https://127.0.0.1/", "http://[::1", "ftp://example.com", None])
    return st.one_of(known, TEXT.map(lambda text: f"https://{text}"), _json())
