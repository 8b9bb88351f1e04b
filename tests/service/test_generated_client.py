"""A client that openapi-python-client generates from the document runs the documented NDVI example."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import requests

from .conftest import ROOT, Service

BIN = Path(sys.executable).parent
# Media types that the generator does not know are bytes.
_CONFIG = """
content_type_overrides:
  "image/tiff; application=geotiff; profile=cloud-optimized": application/octet-stream
  image/png: application/octet-stream
"""
_EXAMPLE = """
    import sys
    import time
    from urllib.parse import parse_qs, urlsplit

    from astra_generated import AuthenticatedClient
    from astra_generated.api.jobs import get_job, submit_job
    from astra_generated.api.results import download_result
    from astra_generated.models import Error, Job, NdviParams, NdviParamsColormapType0, NdviSubmit

    client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
    params = NdviParams(colormap=NdviParamsColormapType0.RDYLGN)
    body = NdviSubmit(operation="ndvi", scene_ids=["sentinel-2:S2B_MSIL2A_20250115T184929"], params=params)
    refused = submit_job.sync(client=client, body=NdviSubmit(operation="ndvi", scene_ids=["nothing"]))
    assert isinstance(refused, Error), refused
    assert refused.error.code.value == "INVALID_ID_FORMAT", refused

    job = submit_job.sync(client=client, body=body, idempotency_key="generated")
    assert isinstance(job, Job), job
    while job.status in ("queued", "processing"):
        time.sleep(0.2)
        job = get_job.sync(job.job_id, client=client)
        assert isinstance(job, Job), job
    assert job.status == "completed", job
    assert job.result.statistics.histogram.count == 20
    link = urlsplit(job.result.href)
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    file = download_result.sync(link.path.removeprefix("/files/"), client=client, **query)
    content = file.payload.read()
    assert len(content) == job.result.filesize
    print(content[:4])
"""


@pytest.fixture(scope="module")
def generated(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package `astra_generated`."""
    folder = tmp_path_factory.mktemp("generated")
    document = requests.get(f"{service.url}/api/v1/openapi.json", timeout=30).json()
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.yaml").write_text(_CONFIG)
    command = [str(BIN / "openapi-python-client"), "generate", "--path", "openapi.json", "--config", "config.yaml"]
    options = ["--meta", "none", "--output-path", "astra_generated", "--fail-on-warning"]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}  # it calls ruff
    done = subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_generated_client_compiles(generated: Path) -> None:
    subprocess.run([sys.executable, "-m", "compileall", "-q", generated / "astra_generated"], check=True)
    operations = {path.stem for path in (generated / "astra_generated" / "api").rglob("*.py")}
    assert {"submit_job", "get_job", "list_jobs", "cancel_job", "get_account", "download_result"} <= operations


def test_generated_client_runs_the_documented_example(service: Service, generated: Path) -> None:
    command = [sys.executable, "-c", dedent(_EXAMPLE), service.url, service.key]
    environment = {**os.environ, "PYTHONPATH": f"{generated}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        command, cwd=generated, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == r"b'II*\x00'"
