"""The service seen from outside: is it ready, how does it do, and which workers are alive.

Only reads, but for the signs that workers give of themselves. Nothing in here calls S3.
"""

from .worker_signs import give_signs

__all__ = ["give_signs"]
