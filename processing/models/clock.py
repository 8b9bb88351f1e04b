"""The database's clock, by which all parts of the service agree however their machines' clocks differ."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def from_now(wait: timedelta) -> Combinable:
    """The time after `wait`, for an UPDATE or a filter."""
    return ExpressionWrapper(Now() + Value(wait), output_field=DateTimeField())
