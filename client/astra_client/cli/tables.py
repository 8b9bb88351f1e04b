"""Tables of plain text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..jobs import Job


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns as wide as they need to be, numbers to the right."""
    lines = [list(heads), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(_line(line, widths) for line in lines)


def result_table(job: Job) -> str:
    """The statistics of a result: a row for each class, or for each number. Empty without any."""
    statistics = job.result.statistics if job.result else {}
    classes = statistics.get("classes")
    if classes:
        heads = ("name", "pixels", "hectares", "percent")
        return table(("class", *heads[1:]), ([row.get(head) for head in heads] for row in classes))
    numbers = [(name, value) for name, value in statistics.items() if isinstance(value, int | float)]
    return table(("statistic", "value"), numbers) if numbers else ""


def jobs_table(jobs: Iterable[Job]) -> str:
    heads = ("job", "status", "progress", "operation", "created", "error")
    return table(heads, (_job_row(job) for job in jobs))


def account_table(account: Mapping[str, Any]) -> str:
    """Plan and mode, and each limit beside what remains of it."""
    limits, remaining = account.get("limits") or {}, account.get("remaining") or {}
    head = table(("account", "plan", "mode"), [[account.get(name) for name in ("account", "plan", "mode")]])
    return f"{head}\n\n{table(('limit', 'of the plan', 'remaining'), _limit_rows(limits, remaining))}"


def scene_table(scene: Mapping[str, Any]) -> str:
    """A scene's day and bands."""
    properties = scene.get("properties") or {}
    head = table(("scene", "datetime"), [(scene.get("id"), properties.get("datetime"))])
    assets = scene.get("assets") or {}
    return f"{head}\n\n{table(('band', 'gsd'), ((name, asset.get('gsd')) for name, asset in assets.items()))}"


def _limit_rows(limits: Mapping[str, Any], remaining: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    return ((name, value, remaining.get(name)) for name, value in limits.items())


def _job_row(job: Job) -> Sequence[Any]:
    code = (job.error or {}).get("code")
    return job.job_id, job.status, f"{job.progress} %", job.get("operation"), job.get("created_at"), code


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if _is_number(cell) else cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").lstrip("-").isdigit()
