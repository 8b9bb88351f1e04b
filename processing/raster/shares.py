"""Shares of pixels."""

import numpy as np

from .types import BoolArray


def percent(part: BoolArray, whole: BoolArray) -> float | None:
    """Percent of the whole that is in the part, too; None if the whole is empty."""
    total = int(np.count_nonzero(whole))
    return 100 * int(np.count_nonzero(part & whole)) / total if total else None
