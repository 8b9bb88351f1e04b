"""A small catalogue of invented scenes, for test keys, the demo and the tests: same code path, no network.

`sandbox.catalogue` writes it, `sandbox.truth` knows what changed. Both load GDAL, so the web process imports neither.
"""

from .forced import is_forced
from .provider import find_in_sandbox

__all__ = ["find_in_sandbox", "is_forced"]
