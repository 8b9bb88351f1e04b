"""Whole sets of the service on this machine, embedded and production, for benches that kill, stop and slow their parts.

All listen on 127.0.0.1 and are ended with the bench. What they need stands in tests/requirements.txt.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .embedded import embedded
from .hook import receiver
from .production import production
from .running import RunningSet

# Each takes a folder of its own and variables of the environment, and runs until the end of its block.
SETS: Mapping[str, Callable[[Path, Mapping[str, str]], AbstractContextManager[RunningSet]]] = {
    "embedded": embedded,
    "production": production,
}

__all__ = ["SETS", "RunningSet", "receiver"]
