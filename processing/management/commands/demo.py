"""`manage.py demo`: start the service, send the documentation's examples, show their results."""

import hashlib
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, ApiKey
from astra.embedded.broker import free_port

_ACCOUNT = "demo"
_START_SECONDS = 120.0
_JOB_SECONDS = 120.0
_POLL_SECONDS = 0.2
_BAR = 30

# The examples of the documentation, word for word.
NDVI_REQUEST = {
    "operation": "ndvi",
    "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"],
    "params": {"colormap": "rdylgn"},
}
CHANGE_REQUEST = {
    "operation": "change_detection",
    "scene_ids": ["sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"],
    "params": {"threshold": 0.15, "bands": ["red", "nir", "swir16"]},
}


class Command(BaseCommand):
    help = "Starts the service, runs the documentation's examples over HTTP and shows the results."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep", action="store_true", help="leave the service up afterwards, until Ctrl-C")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.DATA_DIR) / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        self._say("Starting the service ...")
        with _service() as (url, process):
            account, _ = Account.objects.update_or_create(name=_ACCOUNT, defaults={"plan": Account.Plan.SCALE})
            _, key = ApiKey.objects.issue(account, "test", "made by manage.py demo")
            ndvi = self._run_job(url, key, NDVI_REQUEST, folder / "ndvi_output.tif")
            self._show(_about_ndvi(ndvi["result"]["statistics"]))
            target = folder / "change_detection_output.tif"
            change = self._run_job(url, key, CHANGE_REQUEST, target)
            self._show(_about_change(change["result"]["statistics"], target))
            if options["keep"]:
                self._say(f"\nAdmin: {url}/admin/   user admin, {_password_hint()}")
                self._say(f"The service stays up at {url} with the test key {key}\nCtrl-C stops it.")
                process.wait()
            else:
                self._say("\nThe job stands in the admin too: `manage.py up` serves it and prints the login.")

    def _run_job(self, url: str, key: str, body: Mapping[str, Any], target: Path) -> dict[str, Any]:
        """Submit, poll, download and check. Returns the job. Raises CommandError if anything is not as promised."""
        self._say(f"\nPOST {url}/api/v1/process   {body['operation']} of {', '.join(body['scene_ids'])}")
        headers = {"Authorization": f"Bearer {key}"}
        job = _answer(requests.post(f"{url}/api/v1/process", json=body, headers=headers, timeout=10), 202)
        job = self._poll(f"{url}/api/v1/process/{job['job_id']}", headers)
        if job["status"] != "completed":
            raise CommandError(f"The job failed: {job['error']['code']}: {job['error']['message']}")
        _download(job["result"]["href"], target)
        _check(job["result"], target)
        _download(job["result"]["preview_url"], target.with_suffix(".png"))
        self._show(_about_file(job, target))
        return job

    def _poll(self, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
        deadline = time.monotonic() + _JOB_SECONDS
        while time.monotonic() < deadline:
            job = _answer(requests.get(address, headers=headers, timeout=10), 200)
            bar = "#" * (_BAR * job["progress"] // 100)
            self.stdout.write(f"\r  [{bar:{_BAR}}] {job['progress']:3} % {job['status']:10}", ending="")
            self.stdout.flush()
            if job["status"] in ("completed", "failed"):
                self.stdout.write("")
                return job
            time.sleep(_POLL_SECONDS)
        raise CommandError(f"The job did not end within {_JOB_SECONDS:g} s.")

    def _show(self, rows: Mapping[str, str]) -> None:
        for name, value in rows.items():
            self._say(f"  {name:18} {value}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _service() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`manage.py up` as a child process: its URL and the process. It is stopped on the way out."""
    port = free_port()
    log = Path(settings.DATA_DIR) / "log" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "manage.py", "up", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(process, log)
        yield f"http://127.0.0.1:{port}", process
    except KeyboardInterrupt:
        pass
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "ASTRA is up" not in (said := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CommandError(f"The service did not start:\n{said}")
        time.sleep(0.1)


def _answer(response: requests.Response, expected: int) -> dict[str, Any]:
    if response.status_code != expected:
        raise CommandError(f"{response.request.url} answered {response.status_code}: {response.text[:500]}")
    return dict(response.json())


def _download(url: str, target: Path) -> None:
    with requests.get(url, stream=True, timeout=30) as response, target.open("wb") as file:
        response.raise_for_status()
        for part in response.iter_content(1 << 20):
            file.write(part)


def _check(result: Mapping[str, Any], target: Path) -> None:
    """Raises CommandError unless the file is a COG with the size and checksum that the API says."""
    from processing.raster.cog import is_cog

    with target.open("rb") as file:
        checksum = "1220" + hashlib.file_digest(file, "sha256").hexdigest()
    if checksum != result["file:checksum"] or target.stat().st_size != result["file:size"]:
        raise CommandError(f"{target} is not the file that the API described.")
    if not is_cog(target):
        raise CommandError(f"{target} is not a Cloud Optimized GeoTIFF.")


def _about_file(job: Mapping[str, Any], target: Path) -> dict[str, str]:
    result = job["result"]
    shape = " x ".join(str(side) for side in result["proj:shape"])
    return {
        "job": f"{job['job_id']}, {job['duration_ms'] / 1000:.1f} s from submit to completed",
        "COG": f"{target} ({result['file:size'] / 1e6:.1f} MB, checksum and layout verified)",
        "picture": str(target.with_suffix(".png")),
        "map": job["result"]["viewer_url"],
        "grid": f"{shape} pixels of {result['gsd']:g} m, {result['proj:code']}",
        "valid": f"{result['statistics']['valid_percent']:.1f} % of the pixels",
    }


def _about_ndvi(statistics: Mapping[str, Any]) -> dict[str, str]:
    return {
        "NDVI": f"mean {statistics['mean']:.3f}, from {statistics['minimum']:.3f} to {statistics['maximum']:.3f}, "
        f"standard deviation {statistics['stddev']:.3f}"
    }


def _about_change(statistics: Mapping[str, Any], target: Path) -> dict[str, str]:
    """Hectares found beside the true ones, which the sandbox knows."""
    from processing.raster.sandbox.truth import compare_with_truth

    agreement = compare_with_truth(target, settings.SANDBOX_DIR)
    made = agreement.hectares_made
    rows = {
        found["name"]: f"{found['hectares']:9.1f} ha found, {made.get(found['value'], 0.0):9.1f} ha true"
        for found in statistics["classes"]
    }
    return {**rows, "as made": f"{agreement.percent_as_made:.2f} % of the pixels that no cloud hides"}


def _password_hint() -> str:
    path = Path(settings.DATA_DIR) / "admin_password"
    return f"password {path.read_text()}" if path.exists() else "your password"
