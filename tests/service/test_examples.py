"""The documentation's three complete examples: the text that is published, run against a served instance."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SHARED_SPEC
from tests.servers import wait_until

from .conftest import ROOT, Service
from .instances import assert_strict_cog

EXAMPLES = ROOT / "tests" / "examples"
SPECIFICATION = SHARED_SPEC / "processing-api.txt"

# The lines of the published page between which each example stands.
PLACES = {
    "ndvi_example.sh": ("terminal", "Python"),
    "ndvi_example.py": ("ndvi_example.py", "JavaScript"),
    "ndvi_example.js": ("ndvi_example.js", "Poll Job Status"),
}


def published(name: str) -> str:
    """The example as the page shows it, without the remains of its highlighting."""
    first, last = PLACES[name]
    text = SPECIFICATION.read_text().partition(f"\n{first}\n")[2].partition(f"\n{last}\n")[0]
    return text.replace('&"color: #6b7280">#39;', "'").replace('"color: #6b7280">', "")


def without_layout(code: str) -> list[str]:
    """The lines of `code` without empty ones and indentation, each white space as one space."""
    return [" ".join(line.split()) for line in code.splitlines() if line.strip()]


def example_for(service: Service, name: str) -> str:
    """The example with nothing changed but host and key."""
    code = (EXAMPLES / name).read_text()
    assert "https://astraos.cloud" in code
    assert "astra_sk_live_your_key_here" in code
    return code.replace("https://astraos.cloud", service.url).replace("astra_sk_live_your_key_here", service.key)


def run(command: list[str], code: str, folder: Path) -> str:
    done = subprocess.run(command, input=code, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the published page (../shared/spec) is not on this machine")
@pytest.mark.parametrize("name", PLACES)
def test_examples_are_the_published_ones(name: str) -> None:
    assert without_layout(published(name))
    assert without_layout((EXAMPLES / name).read_text()) == without_layout(published(name))


def test_curl_example_submits_and_polls(service: Service, tmp_path: Path) -> None:
    submit, step, poll = example_for(service, "ndvi_example.sh").partition("# Step 2: Poll for status")
    assert step

    submitted = json.loads(run(["sh"], submit, tmp_path))
    assert submitted["status"] == "queued"
    assert "job_abc123" in poll
    poll = poll.replace("job_abc123", submitted["job_id"])
    completed = lambda: (job := json.loads(run(["sh"], poll, tmp_path)))["status"] == "completed" and job  # noqa: E731
    job = wait_until(completed, 60, "completion")

    assert job["job_id"] == submitted["job_id"]
    assert job["result"]["href"].startswith(f"{service.url}/")


def test_python_example_saves_a_cog(service: Service, tmp_path: Path) -> None:
    printed = run([sys.executable, "-"], example_for(service, "ndvi_example.py"), tmp_path).splitlines()

    assert re.fullmatch(r"Job submitted: job_\w{20,} \(status: queued\)", printed[0])
    assert set(printed[1:-3]) <= {" Status: queued", " Status: processing"}
    assert printed[-3] == " Status: completed"
    assert printed[-2].startswith(f"Downloading NDVI result from: {service.url}/")
    assert printed[-1] == "Saved to ndvi_output.tif"
    assert_strict_cog(tmp_path / "ndvi_output.tif")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_example_prints_the_link(service: Service, tmp_path: Path) -> None:
    command = ["node", "--input-type=module"]  # as in an .mjs file: the example awaits at its top level
    printed = run(command, example_for(service, "ndvi_example.js"), tmp_path).splitlines()

    assert re.fullmatch(r"Job submitted: job_\w{20,} \(status: queued\)", printed[0])
    assert set(printed[1:-2]) <= {" Status: queued", " Status: processing"}
    assert printed[-2] == " Status: completed"
    assert printed[-1].startswith(f"Result URL: {service.url}/")
