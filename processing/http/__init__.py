"""Talking to hosts that are not ours: which of them may be reached at all, retries, JSON bounded in time and size.

Knows no Django, as the raster code uses it.
"""

from .fetch import fetch_json
from .guard import ForbiddenAddress, PrivateHosts
from .sessions import session_for

__all__ = ["ForbiddenAddress", "PrivateHosts", "fetch_json", "session_for"]
