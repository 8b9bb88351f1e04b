"""How Django reaches its database: SQLite in the embedded set, PostgreSQL in production."""

from .settings import postgresql, sqlite

__all__ = ["postgresql", "sqlite"]
