"""The providers. A module is one provider: it defines `PROVIDER`, an instance of `Provider`.

The provider's `name` stands before the colon of a scene id. Modules whose names begin with `_` are helpers.
"""

from ._discovery import get_provider
from ._provider import ANY_JOB, Provider, only_one

__all__ = ["ANY_JOB", "Provider", "get_provider", "only_one"]
