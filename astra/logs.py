"""Keeps API keys out of the logs."""

import logging
import re

_KEY = re.compile(r"astra_sk_(live|test)_[0-9A-Za-z]{4,}")


class WithoutKeys(logging.Formatter):
    """Replaces every API key by its kind, in messages and in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return _KEY.sub(r"astra_sk_\1_...", super().format(record))
