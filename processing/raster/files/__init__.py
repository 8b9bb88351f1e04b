"""Remote files: their bytes, range by range, in copies on this machine's disk.

Every address, redirect, size and version is checked here; tokens and signatures are added here and go nowhere else.
"""

from .local_copy import LocalCopy, runs
from .ranges import Span

__all__ = ["LocalCopy", "Span", "runs"]
