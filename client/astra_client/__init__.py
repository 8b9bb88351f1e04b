"""Client of ASTRA Processing: submit jobs over satellite scenes, wait for them, and download what they made.

`Astra` blocks, `AsyncAstra` is the same for async code, `Job` is what both return, `errors` what both raise.
"""

__version__ = "0.1.0"

from . import errors
from .blocking import Astra
from .client import AsyncAstra
from .jobs import Job

__all__ = ["Astra", "AsyncAstra", "Job", "errors"]
