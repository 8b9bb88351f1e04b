"""How long a peer works after its imports, which a long-lived process does once."""

import json
import time
from collections.abc import Callable
from typing import Any


def timed(work: Callable[..., None], *arguments: Any) -> None:
    """Do the work, and print its seconds as `bench.job` prints ours."""
    started = time.perf_counter()
    work(*arguments)
    print(json.dumps({"seconds": [time.perf_counter() - started]}))
