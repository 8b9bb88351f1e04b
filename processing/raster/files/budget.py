"""How much of remote files one job may copy to the disk that it shares with others."""

import os
from pathlib import Path
from threading import Lock

from ..errors import LocalCopyNotWritten, SceneTooLarge
from ..types import Limits


class CopyBudget:
    """The bytes that a job may still copy into `folder`. For any number of threads."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits, self._folder = limits, folder
        self._taken, self._lock = 0, Lock()

    def take(self, count: int) -> None:
        """Account for bytes about to be written. Raises SceneTooLarge, or LocalCopyNotWritten if the disk is short."""
        with self._lock:
            self._taken += count
            taken = self._taken
        if taken > self._limits.max_bytes:
            raise SceneTooLarge(
                f"The job needs more of its scenes' files than the {self._limits.max_bytes:,.0f} bytes that this "
                "service copies for a job. A smaller aoi needs fewer.",
                max_bytes=self._limits.max_bytes,
            )
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize - count < self._limits.disk_reserve:
            raise LocalCopyNotWritten(
                "The disk of the service is nearly full, so no more of the scene is copied to it. Try again later."
            )
