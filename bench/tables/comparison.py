"""Our job beside the peers': who takes what, and whether all come to the same pixels."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ..jobs import job_command
from ..markdown import table
from ..measuring import Command, Contender, Run, run, take_turns
from ..peer_environment import NotInstallable, peer_python
from ..scenes import Scenes, warm
from . import Options

_HEAD = ["pipeline", "wall s", "CPU s", "peak MB", "output MB", "wall / ours"]
_COMPARED = ["output", "strict COG", "same grid", "same nodata", "other validity", "other value", "largest difference"]


def ours(job: str, scenes: Scenes, work: Path) -> Contender:
    output = work / "ours.tif"
    return Contender(name="ASTRA", command=job_command(job, scenes.folder, "--out", output), output=output)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A module of bench.peers that takes `leading`, inputs and an output, in the environment named `of`.

    `program` is what it needs beside its Python packages.
    """

    name: str
    module: str
    of: str = "dask"
    leading: Sequence[str] = ()
    program: str = ""

    def contender(self, inputs: Command, work: Path) -> Contender:
        output = work / f"{self.of}-{self.module}.tif"
        fault = f"{self.program} is not installed" if self.program and not shutil.which(self.program) else ""
        command: Command = []
        try:
            command = [peer_python(self.of), "-m", f"bench.peers.{self.module}", *self.leading, *inputs, output]
        except NotInstallable as error:
            fault = str(error)
        return Contender(name=self.name, command=command, output=output, may_fail=True, fault=fault)


def beside_peers(job: str, scenes: Scenes, inputs: Sequence[Path], peers: Sequence[Peer], options: Options) -> str:
    """Our job and all peers on the same files: see `side_by_side`."""
    warm(inputs)
    others = [peer.contender(inputs, options.work) for peer in peers]
    return side_by_side([ours(job, scenes, options.work), *others], options)


def side_by_side(contenders: Sequence[Contender], options: Options) -> str:
    """Run all in turns; ours comes first. What they take, and how the outputs compare to ours."""
    take_turns(contenders, options.runs)
    first, ran = contenders[0], [contender for contender in contenders if not contender.fault]
    compared = table(_COMPARED, [_comparison(first, contender) for contender in ran])
    options.figures.update(_figures(contenders))
    return f"""{table(_HEAD, [_row(contender, first) for contender in contenders])}

{_share_of_pipeline(first)}

{_about_best(first, ran[1:])}

{compared}

Pixels are other in validity where they are valid in one output only, and in value where they are more than 1e-6 off."""


def _figures(contenders: Sequence[Contender]) -> dict[str, Any]:
    """Of each contender its runs, or why it was left out."""
    return {
        each.name: {"fault": each.fault}
        if each.fault
        else {"runs": [{**asdict(run), "printed": None, "after_imports": _after_imports(run)} for run in each.runs]}
        for each in contenders
    }


def _about_best(first: Contender, peers: Sequence[Contender]) -> str:
    """Which peer is the fastest in this run, by its medians, and how many times our time and memory it takes."""
    if not peers:
        return "No peer could run."
    best = min(peers, key=lambda peer: median(run.wall for run in peer.runs))
    pairs = list(zip(best.runs, first.runs, strict=True))
    inside = median(_after_imports(its) / _after_imports(our) for its, our in pairs)
    memory = median(our.peak / its.peak for its, our in pairs)
    return f"""The fastest peer is {best.name}: {best.ratio(first)} times our wall time as a whole process,
{inside:.2f} times in the work after imports. Our peak memory is {memory:.2f} of its own."""


def _after_imports(run: Run) -> float:
    """Seconds; of a program that does not say so, all of them."""
    seconds: float = json.loads(run.printed)["seconds"][0] if run.printed.startswith("{") else run.wall
    return seconds


def _share_of_pipeline(first: Contender) -> str:
    inside = median(_after_imports(run) for run in first.runs)
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
