"""System checks that refuse settings by which jobs would get lost. Every command of manage.py makes them."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# A task that is stopped at its limit has to have ended before another worker gets its message.
_MARGIN_SECONDS = 30


@register
def check_message_outlives_its_task(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    visible_after = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 3600)
    least = settings.CELERY_TASK_TIME_LIMIT + _MARGIN_SECONDS
    if visible_after >= least:
        return []
    message = f"The broker's visibility_timeout is {visible_after} s, but a task may run for {least} s."
    hint = "Messages would be delivered again while their task still runs. Raise visibility_timeout."
    return [Error(message, hint=hint, id="astra.E001")]


@register
def check_broker_is_a_server(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme in ("redis", "rediss"):
        return []
    message = f"The broker is {scheme}://, which does not reach other processes, or loses messages."
    return [Error(message, hint="Set REDIS_URL to a Redis or Valkey server.", id="astra.E002")]


@register
def check_one_database_for_all_hosts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A broker on another host is shared with other hosts, sooner or later; a SQLite file never is."""
    host = urlsplit(settings.CELERY_BROKER_URL).hostname
    if not settings.EMBEDDED or host is None or _is_loopback(host):
        return []
    message = f"The broker is on another host ({host}), but the database is a SQLite file on this one."
    hint = "Workers on other hosts would look for the jobs in files of their own. Set DATABASE_URL to a PostgreSQL."
    return [Error(message, hint=hint, id="astra.E003")]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
