"""Accounts and keys for staff. A secret is shown once, in the answer to what made it: a message travels in a cookie.

Django's admin imports this package, so the modules that register pages are imported here.
"""

from . import accounts, keys

__all__ = ["accounts", "keys"]
