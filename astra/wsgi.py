"""Entry point of the web server."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from .starting import start_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")
os.environ["ASTRA_ROLE"] = "web"  # the settings pool this process's connections, and let no caller wait for the broker
start_process()

application = get_wsgi_application()
import_module("astra.urls")  # and all views, for which the first caller would wait
