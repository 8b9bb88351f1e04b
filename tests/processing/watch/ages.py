"""Rows that have been there for a while, by the database's clock."""

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.db.models.functions import Now


def aged(row: Model, field: str, **span: float) -> None:
    """Move a time of the row into the past; takes what `timedelta` takes."""
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    rows.update(**{field: Now() - timedelta(**span)})
