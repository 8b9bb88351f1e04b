"""Token buckets: how often something may be done, whoever asks, in all processes together.

They lie in the broker. While that is away each process goes by buckets of its own, so that an outage stops nobody, and
a metric says how often.
"""

from .rate import Allowance, Rate
from .take import forget, take

__all__ = ["Allowance", "Rate", "forget", "take"]
