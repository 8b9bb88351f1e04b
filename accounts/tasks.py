"""What the control process does for accounts now and then."""

from celery import shared_task

from . import usage


@shared_task
def write_usage() -> None:
    """Move what was counted since the last time into rows."""
    usage.write_rows()
