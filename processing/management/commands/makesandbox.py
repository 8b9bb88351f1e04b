"""`manage.py makesandbox`: write the scenes that test keys read, if they are missing."""

import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Writes the sandbox's scenes into the data folder, if they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        # Exit, so that a stop half-way leaves no draft behind.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
        from processing.raster.sandbox.catalogue import sandbox_catalogue

        self.stdout.write(str(sandbox_catalogue(settings.SANDBOX_DIR)))
