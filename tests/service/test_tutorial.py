"""The tutorial, step by step, on two real dates as Earth Search lists them: a STAC API and files of this machine."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from tests.documented_code import Block, filled_in, run, run_shell, served_blocks
from tests.servers import RangeServer, StacServer

from .conftest import ROOT, NewService, Service
from .instances import COLLECTION, write_scene

EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
LATER = {"20230813": "20230902", "2023-08-13": "2023-09-02"}


def dates(scenes: RangeServer) -> list[dict[str, Any]]:
    """Two items of one place: the second is the first as of a later day."""
    item = write_scene(scenes.folder, scenes.url)
    return [item, json.loads(filled_in(json.dumps(item), LATER))]


@pytest.fixture
def service_of_dates(new_service: NewService, range_server: RangeServer, stac_server: StacServer) -> Service:
    root = stac_server.serve(COLLECTION, dates(range_server))
    return new_service({"ASTRA_SENTINEL2_STAC": root, "ASTRA_PRIVATE_HOSTS": "127.0.0.1"}).start()


def steps(service: Service) -> list[Block]:
    return served_blocks(f"{service.url}/docs/tutorial/")


def project_in(folder: Path) -> None:
    """The folder of the project as far as the steps use it, so that they write nothing into the real one."""
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "manage.py").symlink_to(ROOT / "manage.py")


def test_tutorial_leads_to_a_change_map(
    service_of_dates: Service, stac_server: StacServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in service_of_dates.environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "project"
    project_in(folder)
    answers = run_shell(steps(service_of_dates), {EARTH_SEARCH: stac_server.url}, folder)
    printed = "".join(text for text, _ in answers)

    assert "S2B_33TWL_20230813_0_L2A" in printed
    assert "S2B_33TWL_20230902_0_L2A" in printed
    assert '"dry_run":true' in printed
    assert "vegetation loss 0.0 ha" in printed
    with rasterio.open(folder / "change.tif") as map_:
        assert map_.colormap(1)[2] == (230, 159, 0, 255)
        assert set(np.unique(map_.read(1))) <= {0, 255}  # both dates have the same pixels


def test_tutorial_has_ten_steps_and_begins_as_the_readme_does(service_of_dates: Service) -> None:
    install, start, *others = steps(service_of_dates)
    assert len(others) == 8
    assert f"    {install.code.strip()} && " in (ROOT / "README.md").read_text()
    assert start.code.split()[1:] == ["manage.py", "up"]  # as `Service` does


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="the tests do not run in the project's own .venv")
def test_install_step_leaves_an_installed_project_as_it_is(service_of_dates: Service) -> None:
    assert shutil.which("python3") is not None
    run("bash", [steps(service_of_dates)[0].code], ROOT)
