"""How many requests this process has refused, by code.

Each process counts its own and says so by a label. The shared files of prometheus-client's multi-process mode would
need a hook of the web server to be cleaned up, and a table a write for each refusal, which may be a flood.
"""

import os

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

# They would double the lines, only to say when this process first refused.
disable_created_metrics()  # type: ignore[no-untyped-call]

REFUSALS = CollectorRegistry()
_refused = Counter("astra_refusals", "Requests refused by this process", ["code", "process"], registry=REFUSALS)


def count_refusal(code: str) -> None:
    _refused.labels(code=code, process=str(os.getpid())).inc()
