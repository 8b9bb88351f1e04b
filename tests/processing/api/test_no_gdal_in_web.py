"""The web process does not load GDAL: it is slow to load, and no child process may inherit it."""

import os
import subprocess
import sys
from pathlib import Path

from astra.starting import BY_MANAGE

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
import astra.wsgi
from django.urls import get_resolver

def views(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns)
        else:
            yield pattern.callback

assert len(list(views(get_resolver().url_patterns))) > 5

from django.test import Client, RequestFactory
from processing.api.submit_request import SubmitRequest
from processing.api.views import OperationList
from processing.documentation import all_pages

SubmitRequest.parse({"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}, in_sandbox=True)
OperationList.as_view(permission_classes=())(RequestFactory().get("/")).render()
assert {Client(SERVER_NAME="127.0.0.1").get(page.url).status_code for page in all_pages()} == {200}
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("rasterio", "osgeo", "fiona", "pyproj")))
"""


def test_web_process_does_not_load_gdal(tmp_path: Path) -> None:
    ours = {"ASTRA_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "astra.settings", BY_MANAGE: "1"}
    environment = {**os.environ, **ours}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
