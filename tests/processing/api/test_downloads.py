"""Signed links to results: the exact bytes, byte ranges, and no other file."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.api.downloads import Unsatisfiable, parse_range
from processing.local_storage import SignedLocalStorage
from processing.models import Job
from tests.processing.jobs import CONTENT, URL, another_key, completed

SIZE = len(CONTENT)


@pytest.fixture
def job(key: ApiKey) -> Job:
    return completed(key)


@pytest.fixture
def href(api: APIClient, job: Job) -> str:
    """The link in the answer to a poll."""
    return str(api.get(f"{URL}/{job.pk}").json()["result"]["href"])


def link(key: str, **changes: str | None) -> str:
    """A signed link to the stored `key` with some parameters changed. None leaves one out."""
    signed = urlsplit(SignedLocalStorage(base_url="/files/").signed_url(key, int(time.time()) + 60))
    parameters = {name: values[0] for name, values in parse_qs(signed.query).items()} | changes
    return f"{signed.path}?{urlencode({name: value for name, value in parameters.items() if value is not None})}"


# --- Ranges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-99", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=99-99", (99, 99)),
        ("bytes=90-", (90, 99)),
        ("bytes=0-", (0, 99)),
        ("bytes=90-1000", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("BYTES=1-2", (1, 2)),
        ("bytes= 1-2 ", (1, 2)),
        ("bytes=0-" + "9" * 5000, (0, 99)),
        ("bytes=-" + "9" * 5000, (0, 99)),
        ("bytes=0-1,5-6", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes", None),
        ("", None),
        ("bytes=a-b", None),
        ("bytes=1-2-3", None),
        ("bytes=--5", None),
        ("bytes=0x1-0x2", None),
        ("items=0-5", None),
    ],
)
def test_range_header_is_read_as_first_and_last_byte(header: str, part: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_range_behind_the_end_is_unsatisfiable(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 100)


@given(size=st.integers(1, 10**12), first=st.integers(0, 10**12), length=st.integers(1, 10**12))
def test_range_is_cut_to_the_file(size: int, first: int, length: int) -> None:
    header = f"bytes={first}-{first + length - 1}"
    if first >= size:
        with pytest.raises(Unsatisfiable):
            parse_range(header, size)
    else:
        assert parse_range(header, size) == (first, min(size, first + length) - 1)


@given(header=st.text() | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), size=st.integers(1, 1000))
def test_no_header_reaches_outside_of_the_file(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part[0] <= part[1] < size


# --- Good links -----------------------------------------------------------------------------------------------------


def test_link_returns_the_whole_file_without_a_key(client: Client, href: str, job: Job) -> None:
    answer = client.get(href)
    assert answer.status_code == 200
    assert answer.getvalue() == CONTENT
    assert answer["Content-Length"] == str(SIZE)
    assert answer["Content-Type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"] == f'attachment; filename="ndvi_{job.pk}.tif"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]
    assert answer["ETag"] == f'"{job.result["file:checksum"]}"'  # type: ignore[index]
    assert "Content-Range" not in answer


def test_head_has_the_headers_of_get_and_no_body(client: Client, href: str) -> None:
    same = {"X-Request-Id": "same"}
    whole, head = client.get(href, headers=same), client.head(href, headers=same)
    assert whole.getvalue() == CONTENT
    assert head.status_code == 200
    assert head.getvalue() == b""
    assert dict(head.items()) == dict(whole.items())


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [("bytes=0-15", 0, 15), ("bytes=1000-", 1000, SIZE - 1), ("bytes=-7", SIZE - 7, SIZE - 1), ("bytes=5-5", 5, 5)],
)
def test_range_returns_exactly_its_bytes(client: Client, href: str, header: str, first: int, last: int) -> None:
    answer = client.get(href, headers={"range": header})
    assert answer.status_code == 206
    assert answer.getvalue() == CONTENT[first : last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=5-2", "nonsense"])
def test_anything_but_one_range_returns_the_whole_file(client: Client, href: str, header: str) -> None:
    answer = client.get(href, headers={"range": header})
    assert answer.status_code == 200
    assert answer.getvalue() == CONTENT


def test_range_behind_the_end_answers_416_with_the_size(client: Client, href: str) -> None:
    answer = client.get(href, headers={"range": f"bytes={SIZE}-"})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"
    assert set(answer.json()["error"]) == {"code", "message", "details"}


def test_if_range_returns_the_part_only_of_the_same_version(client: Client, href: str) -> None:
    whole = client.get(href)
    assert whole.getvalue() == CONTENT
    modified = whole["Last-Modified"]
    older = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    conditions = {
        whole["ETag"]: 206,
        modified: 206,
        '"another"': 200,
        f"W/{whole['ETag']}": 200,
        older: 200,
    }
    for condition, status in conditions.items():
        answer = client.get(href, headers={"range": "bytes=0-9", "if-range": condition})
        assert answer.status_code == status, condition
        assert answer.getvalue() == (CONTENT[:10] if status == 206 else CONTENT)


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "nonsense",
        '"',
        "Wed, 31 Feb 2024 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
    ],
)
def test_malformed_if_range_returns_the_whole_file(client: Client, href: str, condition: str) -> None:
    answer = client.get(href, headers={"range": "bytes=0-9", "if-range": condition})
    assert answer.status_code == 200
    assert answer.getvalue() == CONTENT


def test_link_stays_the_same_from_poll_to_poll(api: APIClient, job: Job, href: str) -> None:
    assert api.get(f"{URL}/{job.pk}").json()["result"]["href"] == href


# --- Names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenes", "middle"),
    [
        ([("S2B_MSIL2A_20250115T184929_N0511", "2025-01-15T18:56:01Z")], "S2B_20250115"),
        ([("LC09_L2SP_044034_20250110", "2025-01-10T18:40:00Z")], "LC09_20250110"),
        ([("S2A_MSIL2A", "2024-07-15T18:56:01Z"), ("S2B_MSIL2A", "2025-01-15T18:56:01Z")], "S2A_20240715_S2B_20250115"),
        ([(None, "2025-01-15T18:56:01+02:00")], "20250115"),
        ([('S2"; filename="x', "yesterday")], ""),
    ],
)
def test_download_is_named_for_what_it_shows(
    key: ApiKey, client: Client, api: APIClient, scenes: list[tuple[str | None, str]], middle: str
) -> None:
    job = completed(key)
    shown = [{"product": product, "datetime": moment} for product, moment in scenes]
    Job.objects.filter(pk=job.pk).update(result={**(job.result or {}), "provenance": {"scenes": shown}})
    href = api.get(f"{URL}/{job.pk}").json()["result"]["href"]
    name = "_".join(part for part in ("ndvi", middle, job.pk) if part)
    assert client.get(href)["Content-Disposition"] == f'attachment; filename="{name}.tif"'
    assert urlsplit(href).path.endswith("/ndvi_output.tif")


# --- Conditions -----------------------------------------------------------------------------------------------------


def test_conditions_are_answered_in_the_order_of_rfc_9110(client: Client, href: str) -> None:
    whole = client.get(href)
    assert whole.getvalue() == CONTENT
    etag, modified = whole["ETag"], whole["Last-Modified"]
    older = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    for conditions, status in (
        ({"if-none-match": etag}, 304),
        ({"if-none-match": f'"another", W/{etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"another"'}, 200),
        ({"if-modified-since": modified}, 304),
        ({"if-modified-since": older}, 200),
        ({"if-modified-since": modified, "if-none-match": '"another"'}, 200),
        ({"if-match": etag}, 200),
        ({"if-match": '"another"'}, 412),
        ({"if-match": f"W/{etag}"}, 412),
        ({"if-unmodified-since": modified}, 200),
        ({"if-unmodified-since": older}, 412),
        ({"if-unmodified-since": older, "if-match": etag}, 200),
        ({"if-none-match": etag, "range": "bytes=0-9"}, 304),
        ({"if-match": etag, "range": "bytes=0-9"}, 206),
        ({"if-none-match": "nonsense", "if-modified-since": "nonsense"}, 200),
    ):
        answer = client.get(href, headers=conditions)
        assert answer.status_code == status, conditions
        if status == 412:
            assert answer.json()["error"]["code"] == "PRECONDITION_FAILED"
            continue
        assert answer["ETag"] == etag
        assert answer.getvalue() == {200: CONTENT, 206: CONTENT[:10], 304: b""}[status]


# --- Bad links ------------------------------------------------------------------------------------------------------


def assert_refused(client: Client, address: str, status: int = 403, code: str = "FORBIDDEN") -> None:
    answer = client.get(address)
    assert answer.status_code == status, address
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["error"]["code"] == code
    assert CONTENT[:64] not in answer.content


@pytest.mark.parametrize(
    "changes",
    [
        {"sig": None},
        {"expires": None},
        {"sig": None, "expires": None},
        {"sig": ""},
        {"sig": "0" * 64},
        {"sig": "é"},
        {"expires": ""},
        {"expires": "9999999999"},
        {"expires": "-1"},
        {"expires": "1e10"},
        {"expires": "٣"},
        {"expires": "9" * 5000},
        {"expires": "never"},
    ],
)
def test_changed_link_is_refused(client: Client, job: Job, changes: dict[str, str | None]) -> None:
    assert_refused(client, link(job.result_key, **changes))


def test_every_character_of_the_signature_counts(client: Client, href: str) -> None:
    address, _, signature = href.rpartition("sig=")
    for position in range(len(signature)):
        other = "0" if signature[position] != "0" else "1"
        assert_refused(client, f"{address}sig={signature[:position]}{other}{signature[position + 1 :]}")


def test_signature_of_another_secret_is_refused(client: Client, job: Job, settings: Settings) -> None:
    ours = settings.SECRET_KEY
    settings.SECRET_KEY = "somebody else's"
    theirs = link(job.result_key)
    settings.SECRET_KEY = ours
    assert_refused(client, theirs)


def test_link_opens_no_file_of_another_job(client: Client, job: Job, href: str) -> None:
    other = completed(another_key()[0], content=b"of somebody else")
    assert_refused(client, href.replace(job.pk, other.pk))
    assert_refused(client, href.replace("/1/ndvi", "/2/ndvi"))


@pytest.mark.parametrize(
    "path",
    [
        "../secret_key",
        "jobs/../../secret_key",
        "%2e%2e/secret_key",
        "..%2fsecret_key",
        "..\\secret_key",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "jobs/%00",
        "%ff%fe",
        "jobs/" + "a" * 3000,
    ],
)
def test_made_up_path_is_refused(client: Client, href: str, path: str) -> None:
    assert_refused(client, f"/files/{path}?{urlsplit(href).query}")


@pytest.mark.parametrize("path", ["../secret_key", "/etc/passwd", "jobs"])
def test_signed_link_opens_only_files_of_jobs(client: Client, job: Job, storage: Path, path: str) -> None:
    (storage.parent / "secret_key").write_bytes(CONTENT)
    assert_refused(client, link(path), 410, "EXPIRED")


def test_expired_link_answers_410(client: Client, job: Job) -> None:
    assert_refused(
        client, SignedLocalStorage(base_url="/files/").signed_url(job.result_key, int(time.time()) - 1), 410, "EXPIRED"
    )


def test_link_to_a_deleted_result_answers_410(client: Client, job: Job, href: str) -> None:
    default_storage.delete(job.result_key)
    assert_refused(client, href, 410, "EXPIRED")
    job.forget_result()
    assert_refused(client, href, 410, "EXPIRED")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_files_can_only_be_read(client: Client, href: str, method: str) -> None:
    answer = getattr(client, method)(href)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert client.get(href).getvalue() == CONTENT
