"""The Celery application. Its settings are those of Django that begin with CELERY_."""

import os
import sys
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import (
    celeryd_after_setup,
    setup_logging,
    task_postrun,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)

from . import logs, starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")
# SIGTERM, which is how all supervisors stop a worker, ends it within ASTRA_STOP_GRACE. Otherwise it would wait for its
# jobs, however long they take, and be killed in the end. Celery reads this when it makes a worker.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

app = Celery("astra")


@app.on_configure.connect(weak=False)
def check_settings(**_: Any) -> None:
    """Before Celery reads the settings, if Celery's own command line runs."""
    if "celery.bin.celery" in sys.modules:
        starting.start_process()


app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """With a receiver of this signal, Celery adds no handlers of its own, which would write no JSON and show keys."""


@task_postrun.connect
def forget_ids(**_: Any) -> None:
    """What a task has bound to its log lines belongs to no other task."""
    logs.unbind_all()


@celeryd_after_setup.connect
def take_over_from_the_last(sender: str, instance: Any, **_: Any) -> None:
    import_module("processing.workers").take_over(sender)
    import_module("processing.config").share_threads(instance.concurrency)


@worker_ready.connect
def give_signs_of_life(sender: Any, **_: Any) -> None:
    takes_jobs = "rasters" in app.amqp.queues.consume_from
    import_module("processing.watch").give_signs(sender.hostname, sender.controller.concurrency if takes_jobs else 0)


@worker_ready.connect
def look_for_work(sender: Any, **_: Any) -> None:
    for queue in app.amqp.queues.consume_from:
        import_module("processing.workers").keep_looking(queue, sender.controller.concurrency)


@worker_process_init.connect
def prepare_for_rasters(**_: Any) -> None:
    """Load the raster libraries, for which the first job would wait, and tune the heaps, if this worker runs jobs."""
    if "rasters" not in app.amqp.queues.consume_from:
        return
    import_module("processing.raster.pipeline")
    import_module("processing.raster.threads").keep_heaps_warm()


@worker_shutting_down.connect
def hand_back_jobs(**_: Any) -> None:
    import_module("processing.workers").hand_back_before_the_end()
