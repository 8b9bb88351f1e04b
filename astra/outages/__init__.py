"""Servers of ours that are away: what has failed is left alone for a while, so that nobody queues for it."""

from .breaker import Breaker, WatchedBreaker

__all__ = ["Breaker", "WatchedBreaker"]
