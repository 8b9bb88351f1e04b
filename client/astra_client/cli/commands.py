"""The commands."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from .. import __version__
from ..blocking import Astra
from ..jobs import Job
from .options import given, json_option, operation_options, output_option
from .tables import account_table, jobs_table, scene_table
from .terminal import Terminal

_JOB = click.argument("job_id", metavar="JOB")
_CODES = """Exit codes: 0 done, 1 the job failed, 2 usage or refused, 3 unreachable or overloaded, 130 Ctrl-C.
No file is left unless it is 0."""
_COMPLETIONS = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}


@click.group(epilog=_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="astra")
@json_option
@click.option("--patience", type=float, help="Seconds to try again what may pass, 30 by default.")
@click.pass_obj
def astra(terminal: Terminal, patience: float | None) -> None:
    """NDVI and change maps of satellite scenes, by an ASTRA service.

    The service is ASTRA_API_URL (http://127.0.0.1:8000 by default), the key ASTRA_API_KEY.
    """
    if patience is not None:
        terminal.patience = patience


@astra.command()
@click.argument("scene")
@output_option
@click.option("--colormap", help="Colours over -1..1: rdylgn, viridis or greens. Plain values without.")
@click.option("--precision", help="compact: half the size, values to 1/8192.")
@operation_options
@click.pass_obj
def ndvi(terminal: Terminal, /, scene: str, output: Path, **params: Any) -> None:
    """Vegetation index of SCENE as a Cloud Optimized GeoTIFF."""
    _make(terminal, "ndvi", [scene], given(params), output)


@astra.command()
@click.argument("before")
@click.argument("after")
@output_option
@click.option("--threshold", type=float, help="Least difference that counts as a change, 0 to 1.")
@click.option("--bands", metavar="BAND,BAND,...", help="Bands to compare, such as red,nir,swir16.")
@operation_options
@click.pass_obj
def change(terminal: Terminal, /, before: str, after: str, output: Path, bands: str | None, **params: Any) -> None:
    """Map of what changed between the scenes BEFORE and AFTER."""
    names = [name.strip() for name in bands.split(",")] if bands is not None else None
    _make(terminal, "change_detection", [before, after], given({**params, "bands": names}), output)


@astra.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@json_option
@click.pass_obj
def submit(terminal: Terminal, file: IO[str]) -> None:
    """Submit the request in a JSON FILE (- is stdin), and do not wait for it."""
    try:
        body = json.load(file)
    except ValueError as error:
        raise click.BadParameter(f"{file.name} is no JSON: {error}", param_hint="FILE") from error
    if not isinstance(body, dict):
        raise click.BadParameter(f"{file.name} is no JSON object.", param_hint="FILE")
    with terminal.connect() as client:
        job = client.submit_body(body)
    terminal.answer(job, job.get("job_id") or json.dumps(job, indent=2))  # a dry run makes no job


@astra.command()
@click.option("--status", help="Only those: queued, processing, completed or failed.")
@click.option("--operation", help="Only those: ndvi, change_detection, ...")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
@json_option
@click.pass_obj
def jobs(terminal: Terminal, status: str | None, operation: str | None, limit: int) -> None:
    """The account's newest jobs."""
    with terminal.connect() as client:
        found = [job for job, _ in zip(client.jobs(status=status, operation=operation), range(limit), strict=False)]
    terminal.answer({"jobs": found}, jobs_table(found))


@astra.command()
@_JOB
@output_option
@json_option
@click.pass_obj
def get(terminal: Terminal, job_id: str, output: Path) -> None:
    """Download the result of JOB, once it is completed."""
    with terminal.connect() as client:
        _save(terminal, client, job_id, output)


@astra.command()
@_JOB
@json_option
@click.pass_obj
def wait(terminal: Terminal, job_id: str) -> None:
    """Wait for the end of JOB."""
    with terminal.connect() as client:
        terminal.finished(_wait(terminal, client, job_id))


@astra.command()
@_JOB
@json_option
@click.pass_obj
def cancel(terminal: Terminal, job_id: str) -> None:
    """Cancel JOB if it is not finished."""
    with terminal.connect() as client:
        job = client.cancel(job_id)
    terminal.answer(job, f"{job.job_id} is cancelled.")


@astra.command()
@json_option
@click.pass_obj
def account(terminal: Terminal) -> None:
    """The account's plan, and what remains of its limits."""
    with terminal.connect() as client:
        found = client.account()
    terminal.answer(found, account_table(found))


@astra.command()
@click.argument("scene_id", metavar="ID")
@json_option
@click.pass_obj
def scenes(terminal: Terminal, scene_id: str) -> None:
    """The scene ID and its bands: is the id right?"""
    with terminal.connect() as client:
        found = client.scenes(scene_id)
    terminal.answer(found, scene_table(found))


@astra.command()
@click.argument("shell", type=click.Choice(list(_COMPLETIONS)))
def completion(shell: str) -> None:
    """The script with which a SHELL completes commands: eval "$(astra completion bash)"."""
    click.echo(_COMPLETIONS[shell](astra, {}, "astra", "_ASTRA_COMPLETE").source())


def _make(terminal: Terminal, operation: str, scenes: Sequence[str], params: Mapping[str, Any], output: Path) -> None:
    """Submit, wait and save."""
    with terminal.connect() as client:
        job = client.submit(operation, scenes, params)
        terminal.follow(job)
        _save(terminal, client, job.job_id, output)


def _save(terminal: Terminal, client: Astra, job_id: str, output: Path) -> None:
    """Wait for a job, save its file, and show it. The file stays only if all of that is done."""
    job = _wait(terminal, client, job_id)
    with terminal.progress(label := f"{job_id} downloading") as move:
        client.download(job, output, on_bytes=lambda done, total: move(label, done, total))
    try:
        terminal.finished(job, str(output))
    except BaseException:
        output.unlink(missing_ok=True)
        raise


def _wait(terminal: Terminal, client: Astra, job_id: str) -> Job:
    """The completed job; meanwhile its own progress is shown."""
    with terminal.progress(f"Waiting for {job_id}") as move:

        def show(job: Job) -> None:
            terminal.follow(job)
            move(f"{job_id} {job.status}", job.progress, 100)

        return client.wait(job_id, on_progress=show)
