"""Files in buckets: their URLs, and the signature of each request."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from ..types import S3Access, S3File

# Regions of the buckets at AWS in which scenes are.
_REGIONS = {"usgs-landsat": "us-west-2", "sentinel-s2-l2a": "eu-central-1", "sentinel-cogs": "us-west-2"}

# What stores have answered to this process, by endpoint and bucket.
_learned: dict[tuple[str, str], str] = {}


def region_of(file: S3File, access: S3Access) -> str:
    """The region of the file's bucket: as its store has said, else by the operator's settings, else the known one."""
    known = {} if access.endpoint else _REGIONS
    by_bucket = {**known, **access.regions}
    return _learned.get((access.endpoint, file.bucket)) or by_bucket.get(file.bucket, access.region)


def learn_region(file: S3File, access: S3Access, region: str) -> None:
    """Remember the region that the store has said its bucket is in."""
    _learned[access.endpoint, file.bucket] = region


def url_of(file: S3File, access: S3Access, region: str) -> str:
    """At AWS the bucket is part of the host's name, unless the bucket has dots, which no certificate covers."""
    key = quote(file.key)
    if access.endpoint:
        return f"{_root(access.endpoint)}/{file.bucket}/{key}"
    if "." in file.bucket:
        return f"https://s3.{region}.amazonaws.com/{file.bucket}/{key}"
    return f"https://{file.bucket}.s3.{region}.amazonaws.com/{key}"


def hosts_of(access: S3Access | None) -> frozenset[str]:
    """The host of the operator's own store, which may be in a private network."""
    return frozenset({urlsplit(_root(access.endpoint)).netloc} if access and access.endpoint else ())


def signed(url: str, headers: Mapping[str, str], access: S3Access, region: str) -> dict[str, str]:
    """The headers of a GET request, with a signature for it alone (AWS Signature Version 4)."""
    from botocore.auth import S3SigV4Auth  # takes a while to load, and few scenes are in such buckets
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    payer = {"x-amz-request-payer": "requester"} if access.requester_pays else {}
    request = AWSRequest(method="GET", url=url, headers={**headers, **payer})
    S3SigV4Auth(Credentials(access.access_key, access.secret_key), "s3", region).add_auth(request)
    return dict(request.headers)


def _root(endpoint: str) -> str:
    return (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")
