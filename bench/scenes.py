"""The benchmark's scenes. Imports nothing heavy, as the process that measures others must stay small."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from processing.raster.sandbox.location import catalogue_folder

DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    red: Path
    nir: Path
    swir16: Path
    scl: Path

    @property
    def all(self) -> list[Path]:
        return [self.red, self.nir, self.swir16, self.scl]


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """A sandbox folder of two large scenes, and the files that the peers are given."""

    folder: Path
    before: SceneFiles
    after: SceneFiles


def scenes_folder(size: int, bands: Sequence[str] = ()) -> Path:
    """Of scenes with these bands only; with all of them where none is named."""
    return DATA / "-".join(["scenes", str(size), "swath", *bands])


def write_scenes(size: int, *bands: str) -> Scenes:
    """Folder of the scenes of that size, written first if they are missing."""
    folder = scenes_folder(size, bands)
    if not catalogue_folder(folder).exists():
        print(f"writing {folder}, once", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "bench.large_landscape", str(size), *bands], check=True)
    catalogue = catalogue_folder(folder)
    links = json.loads((catalogue / "catalog.json").read_text())["links"]
    before, after = sorted((_files(catalogue / link["href"]) for link in links), key=lambda files: files.red.parent)
    return Scenes(folder=folder, before=before, after=after)


def _files(item_path: Path) -> SceneFiles:
    assets = json.loads(item_path.read_text())["assets"]
    red, nir, swir16, scl = (item_path.parent / assets[key]["href"] for key in ("red", "nir", "swir16", "scl"))
    return SceneFiles(red=red, nir=nir, swir16=swir16, scl=scl)


def folder_of_scenes(text: str) -> Path:
    """For argparse. A folder that is not there would be filled with the small scenes of the sandbox."""
    folder = Path(text)
    if not catalogue_folder(folder).exists():
        raise argparse.ArgumentTypeError(f"{folder} holds no scenes: write them by python -m bench.large_landscape")
    return folder


def warm(files: Sequence[Path]) -> None:
    """Bring the files into the page cache, so that the first to be measured is no worse off than the others."""
    for path in files:
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass
