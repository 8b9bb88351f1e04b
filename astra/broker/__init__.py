"""The Redis or Valkey of REDIS_URL as this process sees it: it carries messages and keeps counts, and may be away.

One breaker for all that is asked of it, so that an outage costs whoever notices it a moment, and all others nothing.
"""

from .asking import ask, broker
from .soon import soon

__all__ = ["ask", "broker", "soon"]
