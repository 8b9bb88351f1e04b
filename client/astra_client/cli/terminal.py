"""What the command line shows: on stdout what was asked for, as text or JSON, and on stderr how it goes."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from ..blocking import Astra
from ..client import PATIENCE
from ..errors import AstraError, CannotWrite, JobFailed
from ..jobs import Job
from .tables import result_table


class Terminal:
    """What the caller chose for all commands, and showing it so: for people, or with `as_json` only JSON on stdout."""

    def __init__(self) -> None:
        self.as_json = False
        self.patience = PATIENCE
        self._job: Job | None = None

    def connect(self) -> Astra:
        """The client of the service that the environment names."""
        return Astra(patience=self.patience)

    def follow(self, job: Job) -> None:
        """Note which job the command waits for, so that a caller who stops it is told how to get the job later."""
        self._job = job

    @property
    def left_behind(self) -> str:
        """What can be done after a command that was not done, about the job that it was about."""
        if self._job is None or self._job.status == "failed":
            return ""
        job_id, get = self._job.job_id, f"astra get {self._job.job_id} -o FILE"
        return f"It is completed: {get}" if self._job.is_finished else f"It goes on: {get}, or astra cancel {job_id}"

    def answer(self, value: Mapping[str, Any], text: str) -> None:
        """The answer that was asked for."""
        _write(json.dumps(value, indent=2) if self.as_json else text)

    def finished(self, job: Job, saved_as: str | None = None) -> None:
        """A completed job: its statistics, and where its file is."""
        lines = [result_table(job), f"{job.job_id} is completed."]
        if saved_as is not None:
            lines.append(f"Saved as {saved_as}")
        self.answer(job, "\n".join(line for line in lines if line))
        for warning in job.warnings:
            complain(f"Warning: {warning}")

    def show_error(self, error: AstraError) -> None:
        """What went wrong: a sentence on stderr, and for scripts the API's JSON on stdout."""
        complain(f"{error.code}: {error.message}", self.left_behind)
        if self.as_json:
            _write(json.dumps(_as_body(error), indent=2))

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[str, int, int], None]]:
        """A bar on stderr while the body runs, if that is a terminal. It is moved by (label, done, in all)."""
        with click.progressbar(length=1000, label=label, file=sys.stderr, show_pos=False) as bar:

            def move(label: str, done: int, total: int) -> None:
                bar.label = label
                bar.update(round(1000 * done / max(1, total)) - bar.pos)

            yield move


def complain(*lines: str) -> None:
    """Lines on stderr; empty ones are left out."""
    for line in lines:
        if line:
            click.echo(line, err=True)


def _write(text: str) -> None:
    """To stdout. Raises CannotWrite if its reader is gone or its disk full."""
    try:
        click.echo(text)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail at the exit again
        raise CannotWrite(f"Cannot write to stdout: {error.strerror}.") from error


def _as_body(error: AstraError) -> Mapping[str, Any]:
    if isinstance(error, JobFailed):
        return error.job
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}
