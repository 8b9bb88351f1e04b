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
def prepare_for_rasters(**_: Any) -> None:
    """Load the raster libraries, so that a worker's first job does not wait for them, and tune its heaps."""
    import_module("processing.raster.pipeline")
    import_module("processing.raster.threads").keep_heaps_warm()
