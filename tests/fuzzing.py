"""Requests as an attacker would send them, to every path and by every method, and what must hold for every answer."""

import base64
import gzip
import json
import time
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from django.test import Client
from hypothesis import strategies as st

from astra.exceptions import Problem
from tests.fuzzed_bodies import OTHER_SCENE, TEXT, bodies, pings, submits_of_params
from tests.processing.jobs import SCENE, URL

FOREIGN_WORDS = (
    "Traceback",
    "Input should",
    "Extra inputs",
    "Value error",
    "Expecting ",
    "set_int_max",
    "/site-packages/",
)
_METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "BREW")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is there to be found: ids, links to the results of other jobs, and keys, of which some may do less."""

    key: str
    lesser_keys: list[str]
    job_ids: list[str]
    links: list[str]


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Tally:
    """How many answers there were of each status, and the slowest one: how long it took, and to what request."""

    statuses: dict[int, int] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, request: Request, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.slowest = max(self.slowest, (seconds, f"{request.method} {request.path[:60]}"))


def requests_of(known: Known) -> st.SearchStrategy[Request]:
    """Half of them anything, half of them submits and lists, which read most."""
    good = st.just({"Authorization": f"Bearer {known.key}"})
    headers = st.one_of(good, good, _headers(known))
    parts = {"query": _queries(known), "headers": headers, "body": bodies()}
    anything = st.builds(Request, method=st.sampled_from(_METHODS), path=_paths(known), **parts)
    reads = st.builds(Request, method=st.just("GET"), path=_paths(known), **parts)
    submits = st.builds(Request, method=st.just("POST"), path=st.just(URL), **{**parts, "query": st.just("")})
    lists = st.builds(Request, method=st.just("GET"), path=st.just(URL), **parts)
    # No URL of these is one that could be asked.
    tests = st.builds(
        Request, method=st.just("POST"), path=st.just("/api/v1/webhooks/test"), **{**parts, "body": pings()}
    )
    files = st.one_of([_downloads(link) for link in known.links])
    plain = {**parts, "query": st.just(""), "headers": good}
    proper = st.builds(Request, method=st.just("POST"), path=st.just(URL), **{**plain, "body": submits_of_params()})
    return st.one_of(anything, reads, submits, submits, proper, proper, lists, files, tests, _verbs(known))


def _downloads(link: str) -> st.SearchStrategy[Request]:
    path, _, query = link.partition("?")
    parts = {"query": st.just(query), "headers": _ranges(), "body": st.just(b"")}
    return st.builds(Request, method=st.sampled_from(["GET", "HEAD"]), path=st.just(path), **parts)


def _verbs(known: Known) -> st.SearchStrategy[Request]:
    """What callers do with jobs that are there, and submits that are repeated."""
    keys = st.sampled_from([known.key] * 4 + known.lesser_keys)
    headers = keys.map(lambda key: {"Authorization": f"Bearer {key}", "Idempotency-Key": "again"})
    job = st.sampled_from(known.job_ids).map(lambda job_id: f"{URL}/{job_id}")
    rest = {"query": st.just(""), "headers": headers}
    reads = st.builds(Request, method=st.just("GET"), path=_below(job), body=st.just(b""), **rest)
    deletes = st.builds(Request, method=st.just("DELETE"), path=_below(job), body=st.just(b""), **rest)
    known_bodies = st.sampled_from([b'{"operation": "ndvi", "scene_ids": ["%s"]}' % SCENE.encode(), b"{}"])
    submits = st.builds(Request, method=st.just("POST"), path=st.just(URL), body=known_bodies, **rest)
    account = st.builds(Request, method=st.just("GET"), path=st.just("/api/v1/account"), body=st.just(b""), **rest)
    return st.one_of(reads, deletes, submits, account)


def _below(job: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}{}".format, job, st.sampled_from(["", "/item", "/result", "/events"]))


def send(client: Client, request: Request, tally: Tally) -> None:
    """Send the request. Asserts what holds for every answer."""
    begun, worked = time.perf_counter(), time.process_time()
    answer = client.generic(
        request.method,
        request.path,
        request.body,
        content_type=request.headers.get("Content-Type", "application/json"),
        headers={name: value for name, value in request.headers.items() if name != "Content-Type"},
        QUERY_STRING=request.query,
    )
    content = answer.getvalue()
    if answer.headers.get("Content-Encoding") == "gzip" and content:
        content = gzip.decompress(content)
    tally.add(request, answer.status_code, time.perf_counter() - begun)
    assert time.process_time() - worked < 1, "the slowest answer takes a second"
    assert answer.status_code < 500 or (answer.status_code == 503 and request.path == "/readyz")
    assert answer["X-Request-Id"]
    assert answer["X-Astra-Version"]
    if request.method == "HEAD":
        assert answer.getvalue() == b""
    elif answer.status_code >= 400 and not _is_page(request.path):
        _check_error(content)


def _is_page(path: str) -> bool:
    return path == "/" or path.startswith("/admin")


def _check_error(content: bytes) -> None:
    error = json.loads(content)["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] in {problem.code for problem in Problem}
    assert error["message"]
    assert not [word for word in FOREIGN_WORDS if word in error["message"]]
    for fault in error["details"].get("errors", []):
        assert set(fault) == {"parameter", "message", "received", "code"}
        assert len(str(fault["received"])) <= 200


# --- Parts of a request ---------------------------------------------------------------------------------------------


def _paths(known: Known) -> st.SearchStrategy[str]:
    part = st.one_of(st.sampled_from(known.job_ids), TEXT.map(_quoted), st.binary(max_size=9).map(quote))
    scene = st.one_of(st.sampled_from([SCENE, OTHER_SCENE, "landsat:LC09_L2SP_044034_20250110"]), part)
    fixed = (
        URL,
        "/api/v1/operations",
        "/healthz",
        "/readyz",
        "/metrics",
        "/",
        "/admin",
        "/admin/login/",
        "/api/v1/account",
    )
    return st.one_of(
        st.sampled_from(fixed),
        st.just(URL),
        part.map(lambda text: f"{URL}/{text}"),
        st.builds("{}/{}/{}".format, st.just(URL), part, st.sampled_from(["item", "result", "events"])),
        scene.map(lambda text: f"/api/v1/scenes/{text}"),
        st.sampled_from(known.links).map(lambda link: link.partition("?")[0]),
        part.map(lambda text: f"/files/{text}"),
        part.map(lambda text: f"/static/{text}"),
        part.map(lambda text: f"/{text}"),
    )


def _ranges() -> st.SearchStrategy[dict[str, str]]:
    position = st.one_of(st.integers(0, 3000).map(str), st.just(""), TEXT.map(_latin))
    conditions = st.sampled_from(['"a"', "Wed, 15 Jan 2025 19:00:00 GMT", "never", "*", ""])
    return st.fixed_dictionaries(
        {"Range": st.builds("bytes={}-{}".format, position, position)},
        optional={"If-Range": conditions, "If-None-Match": conditions, "If-Modified-Since": conditions},
    )


def _queries(known: Known) -> st.SearchStrategy[str]:
    names = ("limit", "cursor", "status", "operation", "created_after", "created_before", "expires", "sig")
    moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    good = st.sampled_from(["1", "100", "007", "queued", "ndvi", "2025-01-15T19:00:00Z", "MjAyNXxqb2JfMQ=="])
    value = st.one_of(good, moments.map(_quoted), TEXT.map(_quoted), st.binary(max_size=9).map(quote))
    pair = st.builds("{}={}".format, st.one_of(st.sampled_from(names), TEXT.map(_quoted)), value)
    pairs = st.lists(pair, max_size=4).map("&".join)
    of_links = st.sampled_from(known.links).map(lambda link: link.partition("?")[2])
    return st.one_of(st.just(""), of_links, pairs, _proper_lists())


def _proper_lists() -> st.SearchStrategy[str]:
    moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    values = {
        "limit": st.integers(1, 101).map(str),
        "status": st.sampled_from(["queued", "processing", "completed", "failed"]),
        "operation": st.sampled_from(["ndvi", "change_detection"]),
        "created_after": moments,
        "created_before": moments,
        "cursor": moments.map(
            lambda at: base64.urlsafe_b64encode(f"{at}|job_0000000000000000000000".encode()).decode()
        ),
    }
    return st.fixed_dictionaries({}, optional=values).map(urlencode)


def _headers(known: Known) -> st.SearchStrategy[dict[str, str]]:
    value = st.one_of(
        st.sampled_from(["", "*", '"a"', "W/", ","]), st.text(st.characters(max_codepoint=255), max_size=30)
    )
    rarely = {
        "Host": st.one_of(value, st.sampled_from(["127.0.0.1:" + "0" * 900, "[::1", "a" * 300])),
        "Content-Type": st.one_of(value, st.sampled_from(["text/plain", "application/json; charset=utf-16"])),
        "Content-Encoding": value,
        "Accept-Encoding": st.sampled_from(["gzip", "identity", "gzip;q=0"]),
        "Idempotency-Key": st.one_of(value, st.sampled_from(["one", '"one"', "x" * 256])),
        "Range": st.one_of(value, st.builds("bytes={}-{}".format, TEXT, TEXT).map(_latin)),
        "Origin": value,
        "Access-Control-Request-Method": value,
    }
    rarely["Prefer"] = st.one_of(value, st.sampled_from(["wait=0", "wait=31", "respond-async, wait=x", "wait=1"]))
    rarely |= dict.fromkeys(("If-None-Match", "If-Range", "If-Modified-Since", "X-Request-Id"), value)
    rarely |= dict.fromkeys(("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Cookie", "Accept"), value)
    keys = st.sampled_from([f"Bearer {known.key}"] * 8 + ["Bearer x", known.key, "Bearer", "Basic é"])
    return st.builds(
        lambda key, others: {"Authorization": key, **others},
        keys,
        st.fixed_dictionaries({}, optional=rarely).flatmap(_few),
    )


def _few(headers: dict[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """Most of the others would hide behind a wrong Host."""
    names = sorted(headers)
    return (
        st.lists(st.sampled_from(names), max_size=2).map(lambda kept: {name: headers[name] for name in kept})
        if names
        else st.just({})
    )


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
