"""How far a result can be trusted: what the metadata of its scenes and their pixels say, in numbers and in sentences.

`Sampler` takes a sample while windows are computed, of which `trust` makes numbers and warnings. `caveats` looks at the
metadata.
"""

from .clearness import clear_percent
from .sampler import Sampler

__all__ = ["Sampler", "clear_percent"]
