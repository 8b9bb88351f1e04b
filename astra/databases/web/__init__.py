"""PostgreSQL as web processes use it, for Django's ENGINE: nobody waits for a server that is away or silent."""

from .impatient import ImpatientConnection, server

__all__ = ["ImpatientConnection", "server"]
