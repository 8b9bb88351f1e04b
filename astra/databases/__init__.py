"""How Django reaches its database: SQLite in the embedded set, PostgreSQL in production.

`settings` says how long anyone waits; `impatient` is the connection of web processes, and loads psycopg.
"""

from .settings import postgresql, sqlite

__all__ = ["postgresql", "sqlite"]
