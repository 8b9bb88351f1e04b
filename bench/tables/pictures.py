"""What the pictures of a result add to a job."""

import json
import sys

from ..markdown import spread, table
from ..measuring import run
from ..scenes import warm, write_scenes
from . import Options

TITLE = "The pictures of a result, apart from the rest of its job"
_BANDS = ("red", "nir", "green", "blue")


def measure(options: Options) -> str:
    scenes = write_scenes(options.size, *_BANDS)
    warm([*scenes.before.all, *scenes.after.all])
    rows = []
    for job in ("ndvi", "change"):
        command = [sys.executable, "-m", "bench.pictures", job, "--scenes", scenes.folder]
        for part, rounds in json.loads(run(command).printed).items():
            walls, cpus = zip(*rounds, strict=True)
            rows.append([job, part, spread(walls), spread(cpus)])
    return table(["job", "pictures", "wall s", "CPU s"], rows)
