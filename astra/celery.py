"""The Celery application. Its settings are those of Django that begin with CELERY_."""

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_process_init, worker_ready

from . import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")

app = Celery("astra")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """With a receiver of this signal, Celery adds no handlers of its own, which would write no JSON and show keys."""


@task_postrun.connect
def forget_ids(**_: Any) -> None:
    """What a task has bound to its log lines belongs to no other task."""
    logs.unbind_all()


@worker_ready.connect
def give_signs_of_life(sender: Any, **_: Any) -> None:
    import_module("processing.watch.worker_signs").give_signs(sender.hostname)


@worker_process_init.connect
def prepare_for_rasters(**_: Any) -> None:
    """Load the raster libraries, for which a worker's first job would wait, and tune its heaps."""
    import_module("processing.raster.pipeline")
    import_module("processing.raster.threads").keep_heaps_warm()
