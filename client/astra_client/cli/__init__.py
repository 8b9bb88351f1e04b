"""The command `astra`."""

from .run import main

__all__ = ["main"]
