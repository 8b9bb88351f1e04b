"""The bodies of requests and answers as pydantic models, from which their JSON Schema is made.

Params of operations are the very models that check them; everything else is described here, and checked by the tests
against what the service answers.
"""

from . import accounts, items, jobs, submits

__all__ = ["accounts", "items", "jobs", "submits"]
