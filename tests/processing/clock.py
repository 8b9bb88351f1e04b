"""Time that passes for the database: every row becomes older."""

from datetime import timedelta

from django.db.models import DateTimeField, F, Model

from processing.models import IdempotencyKey, Job, JobEvent, WebhookDelivery, WebhookReceiver
from processing.models.signs import Sign
from processing.models.webhook_attempts import WebhookAttempt

MODELS: tuple[type[Model], ...] = (
    Job,
    JobEvent,
    IdempotencyKey,
    WebhookDelivery,
    WebhookAttempt,
    WebhookReceiver,
    Sign,
)


class Clock:
    """The database's own clock cannot be moved. What counts is how long ago or how far ahead a row's times are."""

    def __init__(self, *models: type[Model]) -> None:
        """Only rows of these models become older; by default all."""
        self._models = models or MODELS

    def move(self, **span: float) -> None:
        """Let time pass; takes what `timedelta` takes."""
        for model in self._models:
            times = [field.name for field in model._meta.get_fields() if isinstance(field, DateTimeField)]
            model._default_manager.update(**{name: F(name) - timedelta(**span) for name in times})
