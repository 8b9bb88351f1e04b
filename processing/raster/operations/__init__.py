"""The operations: pixels in, pixels out. A module is an operation, and its name is the operation's name in the API.

It defines `OPERATION`, an instance of `Operation`, and nothing else has to be touched to add one. Modules whose names
begin with `_` are helpers.
"""

from ._discovery import all_operations, get_operation
from ._operation import Operation, Tally

__all__ = ["Operation", "Tally", "all_operations", "get_operation"]
