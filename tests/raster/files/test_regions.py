"""A bucket's region is a property of the bucket: known, set by the operator, or said by its store."""

from collections.abc import Mapping

import pytest
import requests

from processing.raster.files.locations import location_of
from processing.raster.types import Network, S3Access, S3File


def access(**more: object) -> S3Access:
    given: Mapping[str, object] = {"access_key": "AKREADER", "secret_key": "x", "region": "us-west-2", **more}
    return S3Access(**given)  # type: ignore[arg-type]


def host_of(bucket: str, s3: S3Access) -> str:
    return location_of(S3File(bucket=bucket, key="B04.jp2"), Network(s3=s3)).host


def answer_from(region: str, status: int) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.headers["x-amz-bucket-region"] = region
    return answer


@pytest.mark.parametrize(
    ("bucket", "region"),
    [("sentinel-s2-l2a", "eu-central-1"), ("usgs-landsat", "us-west-2"), ("sentinel-cogs", "us-west-2")],
)
@pytest.mark.parametrize("default", ["us-west-2", "eu-central-1", "ap-south-1"])
def test_buckets_of_the_public_catalogues_are_known(bucket: str, region: str, default: str) -> None:
    assert host_of(bucket, access(region=default)) == f"{bucket}.s3.{region}.amazonaws.com"


def test_other_buckets_are_in_the_region_of_the_setting() -> None:
    assert host_of("own-scenes", access(region="ap-south-1")) == "own-scenes.s3.ap-south-1.amazonaws.com"


@pytest.mark.parametrize("bucket", ["own-scenes", "sentinel-s2-l2a"])
def test_region_that_the_operator_sets_for_a_bucket_wins(bucket: str) -> None:
    s3 = access(regions={bucket: "sa-east-1"})
    assert host_of(bucket, s3) == f"{bucket}.s3.sa-east-1.amazonaws.com"
    assert ".us-west-2." in host_of("another", s3)


@pytest.mark.parametrize("status", [301, 307, 400])
def test_region_that_the_store_says_is_remembered_for_this_bucket(status: int) -> None:
    s3 = access()
    location = location_of(S3File(bucket="own-scenes", key="B04.jp2"), Network(s3=s3))
    moved_to = location.moved_to(answer_from("eu-north-1", status))
    assert moved_to == location.url()
    assert host_of("own-scenes", s3) == "own-scenes.s3.eu-north-1.amazonaws.com"
    assert ".us-west-2." in host_of("another", s3)


def test_store_of_the_operator_signs_for_the_region_of_the_setting() -> None:
    """Its buckets may have the names of those at AWS."""
    s3 = access(region="own", endpoint="https://minio.example")
    location = location_of(S3File(bucket="sentinel-s2-l2a", key="B04.jp2"), Network(s3=s3))
    assert "/own/s3/" in location.headers(location.url(), {})["Authorization"]
