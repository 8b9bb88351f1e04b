"""Pages for staff: everything can be seen, and acted on only through the verbs.

Django's admin imports this package, so the modules that register pages are imported here.
"""

from . import deliveries, jobs

__all__ = ["deliveries", "jobs"]
