"""A real S3 server (SeaweedFS) on 127.0.0.1, with a bucket for results."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.servers import free_port, wait_until

BUCKET = "results"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAASTRATEST0000001", "AWS_SECRET_ACCESS_KEY": "secretsecretsecret"}
_PORTS = ("master.port", "volume.port", "filer.port")


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The URL of the server, whose only bucket is BUCKET."""
    command, port = command_of(folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **KEYS}, stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: has_bucket(url), 60, "the S3 server")
        yield url
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()


def command_of(folder: Path) -> tuple[list[str], int]:
    """The command of a server that keeps its files in `folder`, and its port."""
    port = _port_of_two()
    return [
        str(Path(sys.executable).parent / "weed"),
        *("mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false"),
        *(f"-s3.port={port}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-{name}={_port_of_two()}" for name in _PORTS),
    ], port


def s3_client(url: str) -> Any:
    once = Config(
        s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10
    )
    keys = {name.lower(): value for name, value in KEYS.items()}
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=once, **keys)


def s3_storage(url: str, **options: Any) -> Mapping[str, Any]:
    """The entry of STORAGES for the bucket."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "access_key": KEYS["AWS_ACCESS_KEY_ID"],
            "secret_key": KEYS["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": url,
            "region_name": "us-east-1",
            "addressing_style": "path",
            "signature_version": "s3v4",
            "file_overwrite": True,
            **options,
        },
    }


def has_bucket(url: str) -> bool:
    """True once the bucket is made and takes a file."""
    try:
        requests.get(f"{url}/healthz", timeout=2).raise_for_status()
        client = s3_client(url)
        with suppress(ClientError):
            client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"1")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except (requests.RequestException, BotoCoreError, ClientError):
        return False
    return True


def _port_of_two() -> int:
    """A free port P, of which P + 10000 is free, too: SeaweedFS takes both."""
    return next(port for port in iter(free_port, None) if port < 55_000 and _is_free(port + 10_000))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
