"""The Celery application. Its settings are those of Django that begin with CELERY_."""

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")

app = Celery("astra")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def prepare_for_rasters(**_: Any) -> None:
    """Load the raster libraries, for which a worker's first job would wait, and tune its heaps."""
    import_module("processing.raster.pipeline")
    import_module("processing.raster.threads").keep_heaps_warm()


@worker_shutting_down.connect
def hand_back_jobs(**_: Any) -> None:
    import_module("processing.lost_workers").hand_back_before_the_end()
