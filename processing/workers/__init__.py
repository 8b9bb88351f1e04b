"""What the main process of a worker does beside its pool: look for work, notice lost processes, take over, stop.

`idle` looks at the rows, `lost` hands back what nobody works on any more, `forks` is for its threads.
"""

from .idle import keep_looking
from .lost import hand_back_before_the_end, take_over

__all__ = ["hand_back_before_the_end", "keep_looking", "take_over"]
