"""The API over HTTP: a request in, one verb, an answer out.

`urls` is what the project includes; the rest of the room is nobody else's.
"""

from . import urls

__all__ = ["urls"]
