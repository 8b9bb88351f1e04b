"""Our job beside the peers': who takes what, and whether all come to the same pixels."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from ..jobs import job_command
from ..markdown import table
from ..measuring import Command, Contender, run, take_turns
from ..peer_environment import peer_python
from ..scenes import Scenes

_HEAD = ["pipeline", "wall s", "CPU s", "peak MB", "output MB", "wall / ours"]
_COMPARED = ["output", "strict COG", "same grid", "same nodata", "other validity", "other value", "largest difference"]


def ours(job: str, scenes: Scenes, work: Path) -> Contender:
    output = work / "ours.tif"
    return Contender(name="ASTRA", command=job_command(job, scenes.folder, "--out", output), output=output)


def peer(name: str, module: str, arguments: Command, work: Path, program: str = "") -> Contender:
    """`program` is what the peer needs beside its Python packages."""
    output = work / f"{module}.tif"
    command = [peer_python(), "-m", f"bench.peers.{module}", *arguments, output]
    fault = f"{program} is not installed" if program and not shutil.which(program) else ""
    return Contender(name=name, command=command, output=output, may_fail=True, fault=fault)


def side_by_side(contenders: Sequence[Contender], runs: int) -> str:
    """Run all in turns; ours comes first. What they take, and how the outputs compare to ours."""
    take_turns(contenders, runs)
    ran = [contender for contender in contenders if not contender.fault]
    compared = table(_COMPARED, [_comparison(contenders[0], contender) for contender in ran])
    return f"""{table(_HEAD, [_row(contender, contenders[0]) for contender in contenders])}

{_share_of_pipeline(contenders[0])}

{compared}

Pixels are other in validity where they are valid in one output only, and in value where they are more than 1e-6 off."""


def _share_of_pipeline(first: Contender) -> str:
    inside = median(json.loads(run.printed)["seconds"][0] for run in first.runs)
    return f"""Of ASTRA's wall time {inside:.2f} s are in the pipeline; the rest is the start of the interpreter and its
libraries, which a worker of the service does once."""


def compare(first: Contender, other: Contender) -> dict[str, Any]:
    """What rio-cogeo says of the other's output, and how its pixels differ from those of the first."""
    command: Command = [peer_python(), "-m", "bench.peers.comparison", str(first.output), str(other.output)]
    found: dict[str, Any] = json.loads(run(command).printed)
    return found


def _row(contender: Contender, first: Contender) -> list[str]:
    if contender.fault or contender.output is None:
        return [contender.label]
    size = f"{contender.output.stat().st_size / 1e6:.1f}"
    return [contender.name, *contender.costs, size, contender.ratio(first)]


def _comparison(first: Contender, contender: Contender) -> list[str]:
    found = compare(first, contender)
    agreements = ["yes" if found[name] else "NO" for name in ("strict_cog", "same_grid", "same_nodata")]
    counts = [
        f"{found[name]} ({100 * found[name] / max(1, found['pixels']):.4f} %)" for name in ("validity", "differing")
    ]
    return [contender.name, *agreements, *counts, f"{found['largest']:.2g}"]
