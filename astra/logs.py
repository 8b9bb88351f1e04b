"""Logs of every process: one line an event, readable or JSON, with the ids it belongs to and without API keys."""

import json
import logging
import re
from typing import Any

import orjson
import structlog
from structlog.contextvars import bind_contextvars as bind
from structlog.contextvars import bound_contextvars as bound
from structlog.contextvars import clear_contextvars as unbind_all
from structlog.contextvars import get_contextvars as bound_ids

__all__ = ["bind", "bound", "bound_ids", "logging_settings", "unbind_all", "without_keys"]

_KEY = re.compile(r"astra_sk_(live|test)_[0-9A-Za-z]{4,}")
_LINE = "{asctime} {levelname} {name}: {message}"
# Of `extra`, only these: Django adds whole requests, whose queries may hold the signature of a link.
_EXTRAS = ("method", "path", "status", "milliseconds")
# Loggers that have handlers of their own, by Django or gunicorn, which would print keys and no JSON.
_NOT_OURS = ("django", "django.server", "gunicorn.error")


def without_keys(text: str) -> str:
    return _KEY.sub(r"astra_sk_\1_...", text)


class WithoutKeys(logging.Formatter):
    """Shows only the kind of an API key, in messages and in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))


class Lines(WithoutKeys):
    """For people. The ids that are bound stand at the end of the message."""

    def __init__(self) -> None:
        super().__init__(_LINE, style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        ids = "".join(f" {name}={value}" for name, value in sorted(bound_ids().items()))
        return super().formatMessage(record) + ids


class JsonLines(WithoutKeys, structlog.stdlib.ProcessorFormatter):
    """For machines. One JSON object a line, with the ids that are bound."""

    def __init__(self) -> None:
        describe: list[Any] = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=_EXTRAS),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ]
        render: list[Any] = [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ]
        super().__init__(foreign_pre_chain=describe, processors=render)


def _as_json(event: dict[str, Any], **_: Any) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except orjson.JSONEncodeError:  # half of a surrogate pair, or a number of more than 64 bits
        return json.dumps(event, default=str)


_FORMATTERS = {"json": JsonLines, "lines": Lines}


def logging_settings(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `form` is json or lines. All that is logged goes through one handler, to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _FORMATTERS[form]}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            **{name: {"handlers": [], "level": "NOTSET", "propagate": True} for name in _NOT_OURS},
            # urllib3 warns with whole URLs, which may hold tokens.
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "ERROR"},
        },
        "root": {"handlers": ["console"], "level": level},
    }
