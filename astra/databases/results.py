"""Where results are stored, as Django's STORAGES has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def local_results(folder: Path) -> dict[str, Any]:
    return {
        "BACKEND": "processing.local_storage.SignedLocalStorage",
        "OPTIONS": {"location": folder, "base_url": "/files/"},
    }


def s3_results(bucket: str, access: Mapping[str, str | None]) -> dict[str, Any]:
    """`access` names endpoint, region and keys as django-storages does; None leaves them to boto3."""
    from botocore.config import Config  # takes a while to load, and not everyone has a bucket

    client = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if access["endpoint_url"] else "auto"},
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            **access,
            "bucket_name": bucket,
            "client_config": client,
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,
        },
    }
