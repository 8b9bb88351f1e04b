"""The list of jobs: found by what somebody has at hand, filtered, and never slower with more rows."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.admin.staff import JOBS, page
from tests.processing.jobs import EXAMPLE, another_key, claimed, completed, failed, queued

SCENE = "landsat:LC09_L2SP_044034_20250110_20250112_02_T1"
PAIR = ["sentinel-2:S2B_MSIL2A_20240715T184929_N0511_R070_T10SEG_20240715T224157", EXAMPLE["scene_ids"][0]]


def listed(client: Client, **query: str) -> set[str]:
    """The ids of the jobs that the list shows."""
    answer = client.get(JOBS, query)
    assert answer.status_code == 200
    return {job.pk for job in answer.context["cl"].result_list}


@pytest.mark.parametrize(
    "text",
    [
        "{job.pk}",
        "{pk_begins}",
        SCENE,
        "LC09_L2SP_044034",
        "landsat:LC09",
        "request-7",
        "{last_four}",
        "scene_unreadable",
    ],
)
def test_job_is_found_by_what_somebody_has_at_hand(admin_client: Client, key: ApiKey, text: str) -> None:
    stranger, _ = another_key()
    queued(stranger)
    job = failed(key, scene_ids=[SCENE], request_id="request-7")
    asked = text.format(job=job, pk_begins=job.pk[:12], last_four=key.last_four)
    assert listed(admin_client, q=asked) == {job.pk}


def test_second_scene_of_a_pair_is_found_too(admin_client: Client, key: ApiKey) -> None:
    job = queued(key, operation="change_detection", scene_ids=[SCENE, PAIR[0]])
    queued(key)
    assert listed(admin_client, q="S2B_MSIL2A_20240715") == {job.pk}


@pytest.mark.parametrize("text", ["job_", "nothing", "%", "_", "' OR 1=1", "\x00"])
def test_odd_search_is_answered(admin_client: Client, key: ApiKey, text: str) -> None:
    job = queued(key)
    assert listed(admin_client, q=text) <= {job.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status__exact": "failed"}, "failed"),
        ({"error_code": "SCENE_UNREADABLE"}, "failed"),
        ({"operation": "change_detection"}, "pair"),
        ({"provider": "landsat"}, "pair"),
        ({"mode__exact": "live"}, "live"),
        ({"account": "Another account"}, "other"),
        ({"account": "Nobody"}, None),
    ],
)
def test_filter_leaves_the_jobs_that_it_names(
    admin_client: Client, key: ApiKey, query: dict[str, str], found: str | None
) -> None:
    live, _ = ApiKey.objects.issue(key.account, "live")
    jobs = {
        "failed": failed(key),
        "pair": queued(key, operation="change_detection", scene_ids=[SCENE, PAIR[0]]),
        "live": queued(live),
        "other": queued(another_key()[0]),
    }
    assert listed(admin_client, **query) == ({jobs[found].pk} if found else set())


def test_error_codes_have_the_counts_of_the_last_day(admin_client: Client, key: ApiKey) -> None:
    failed(key)
    failed(key)
    assert "SCENE_UNREADABLE (2)" in page(admin_client, JOBS)


def test_account_is_offered_while_its_name_is_typed(admin_client: Client, key: ApiKey) -> None:
    form = {"app_label": "processing", "model_name": "job", "field_name": "account", "term": key.account.name[:4]}
    offered = admin_client.get("/admin/autocomplete/", form).json()["results"]
    assert [each["text"] for each in offered] == [key.account.name]


def test_row_shows_short_scenes_with_the_whole_on_hover(admin_client: Client, key: ApiKey) -> None:
    job = queued(key, operation="change_detection", scene_ids=PAIR)
    shown = page(admin_client, JOBS)
    assert all(f'title="{scene}"' in shown for scene in PAIR)
    assert "2024-07-15 T10SEG" in shown
    assert f'title="{job.pk}"' in shown
    assert f"{JOBS}{quote(job.pk)}/change/" in shown


def test_row_shows_the_code_of_an_error_and_no_json(admin_client: Client, key: ApiKey) -> None:
    failed(key)
    table = page(admin_client, JOBS).partition('id="result_list"')[2].partition("</table>")[0]
    assert ">SCENE_UNREADABLE<" in table
    assert "retryable" not in table


def test_times_have_seconds_and_zone(admin_client: Client, key: ApiKey) -> None:
    job = queued(key)
    assert f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC" in page(admin_client, JOBS)


def test_no_statement_is_added_by_more_rows(admin_client: Client, key: ApiKey) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(admin_client, JOBS)
        return len(captured)

    make: Any
    for make in (queued, claimed, completed, failed):
        make(key)
    before = statements()
    for _ in range(3):
        failed(another_key(f"account {Job.objects.count()}")[0])
    assert statements() == before <= 12


def test_markup_of_the_stock_admin_stays(admin_client: Client, key: ApiKey) -> None:
    job = queued(key)
    shown = page(admin_client, JOBS)
    for name in ("changelist", "changelist-form", "changelist-filter", "result_list", "searchbar", "action-toggle"):
        assert f'id="{name}"' in shown
    assert f'value="{job.pk}"' in shown
