"""What the parts of NDVI take alone, with everything in memory, and how far the whole is from their sum."""

import json
import sys

from ..jobs import job_command
from ..markdown import spread, table
from ..measuring import Contender, run, take_turns
from ..scenes import warm, write_scenes
from . import Options

TITLE = "The floor: the parts of NDVI alone"
_PARTS = {
    "decode": "decode red and nir",
    "kernel": "NDVI of ready numbers",
    "encode": "encode ready NDVI and its first overview",
}


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([scenes.after.red, scenes.after.nir])
    parts = json.loads(run([sys.executable, "-m", "bench.floor", scenes.after.red, scenes.after.nir]).printed)
    whole = Contender(name="pipeline", command=job_command("ndvi", scenes.folder))
    take_turns([whole], options.runs)
    inside = [json.loads(each.printed)["seconds"][0] for each in whole.runs]
    floor = sum(min(seconds) for seconds in parts.values())
    rows = [[_PARTS[name], spread(seconds), f"{min(seconds) / floor:.2f}"] for name, seconds in parts.items()]
    rows.append(["sum of the best, the floor", f"{floor:.2f}", "1.00"])
    rows.append(["the pipeline, from its call to its return", spread(inside), f"{min(inside) / floor:.2f}"])
    rows.append(["the whole process", spread([each.wall for each in whole.runs]), ""])
    return table(["part", "s", "best / floor"], rows)
