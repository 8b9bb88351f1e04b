"""A worker's start loads nothing that takes long and is not needed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_pipeline_loads_no_client_of_s3() -> None:
    code = "import sys, processing.raster.pipeline; print([name for name in sys.modules if name.startswith('boto')])"
    assert run(code) == "[]"


def test_client_of_s3_can_be_loaded_afterwards() -> None:
    assert run("import processing.raster.pipeline, boto3; print(boto3.__name__)") == "boto3"


def test_client_of_s3_that_is_loaded_before_stays() -> None:
    assert run("import boto3, sys, processing.raster.pipeline; print(sys.modules['boto3'] is boto3)") == "True"
