"""The Celery application; all of its settings are the CELERY_ ones of Django's settings."""

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")

app = Celery("astra")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def load_raster_libraries(**_: Any) -> None:
    """So that the first job of a worker's process does not wait for them."""
    import_module("processing.raster.pipeline")
