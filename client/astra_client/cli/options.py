"""What several commands share: --json, --output, and the params that every operation has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .area import Area
from .terminal import Terminal

Command = TypeVar("Command", bound=Callable[..., Any])


def _choose_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Terminal).as_json = True


def _writable(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """Refuse what cannot be written before a job is submitted for it."""
    if value.is_dir():
        raise click.BadParameter(f"{value} is a folder; name a file in it.")
    if not value.parent.is_dir():
        raise click.BadParameter(f"There is no folder {value.parent}.")
    return value


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_choose_json,
    help="Write only JSON to stdout: the API's own answer.",
)

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_writable,
    required=True,
    help="File to write the GeoTIFF to.",
)

_OF_EVERY_OPERATION = (
    click.option("--aoi", type=Area(), help="Only this area: a GeoJSON file, or west,south,east,north in degrees."),
    click.option("--cloud-mask/--no-cloud-mask", default=None, help="Leave out clouds, shadows and snow."),
    click.option("--mask-dilation", type=float, metavar="METRES", help="How far they grow before they are left out."),
    json_option,
)


def operation_options(command: Command) -> Command:
    """Add the params of every operation."""
    for option in reversed(_OF_EVERY_OPERATION):
        command = option(command)
    return command


def given(params: dict[str, Any]) -> dict[str, Any]:
    """The params that the caller has named; the service knows the defaults of all others."""
    return {name: value for name, value in params.items() if value is not None}
