"""Whole sets of the service on this machine, embedded and production, for benches that kill, stop and slow their parts.

All listen on 127.0.0.1 and are ended with the bench. What they need stands in tests/requirements.txt.
"""

from .embedded import embedded
from .hook import receiver
from .production import production
from .running import RunningSet

__all__ = ["RunningSet", "embedded", "production", "receiver"]
