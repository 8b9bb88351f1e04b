"""How time and memory of NDVI grow with the scene."""

import json
from pathlib import Path

from ..jobs import job_command
from ..markdown import spread, table
from ..measuring import Contender, take_turns
from ..scenes import warm, write_scenes
from . import Options
from .comparison import compare

TITLE = "NDVI of scenes of growing size"
_SMALLER = (1024, 2048, 4096, 8192)


def measure(options: Options) -> str:
    sizes = [size for size in _SMALLER if size < options.size] + [options.size, 2 * options.size]
    contenders = {size: _contender(size, options.work) for size in sizes}
    take_turns(list(contenders.values()), options.runs)
    head = ["pixels a side", "wall s", "CPU s", "peak MB", "in the pipeline s", "of it per megapixel ms", "strict COG"]
    return table(head, [_row(size, contender) for size, contender in contenders.items()])


def _contender(size: int, work: Path) -> Contender:
    scenes = write_scenes(size, "red", "nir")
    warm([scenes.after.red, scenes.after.nir])
    output = work / f"{size}.tif"
    command = job_command("ndvi", scenes.folder, "--out", output)
    return Contender(name=f"NDVI {size}", command=command, output=output)


def _row(size: int, contender: Contender) -> list[str]:
    inside = [json.loads(run.printed)["seconds"][0] for run in contender.runs]
    per_megapixel = [seconds * 1e3 / (size**2 / 1e6) for seconds in inside]
    is_cog = "yes" if compare(contender, contender)["strict_cog"] else "NO"
    return [str(size), *contender.costs, spread(inside), spread(per_megapixel), is_cog]
