"""How Django reaches what it keeps: SQLite or PostgreSQL for rows, the local disk or S3 for results.

`settings` says how long anyone waits; `web` is how web processes reach PostgreSQL, and loads psycopg.
"""

from .settings import postgresql, sqlite

__all__ = ["postgresql", "sqlite"]
