"""Keeps API keys out of the logs."""

import logging
import re

_KEY = re.compile(r"astra_sk_(live|test)_[0-9A-Za-z]{4,}")


class WithoutKeys(logging.Formatter):
    """Shows only the kind of an API key, in messages and in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return _KEY.sub(r"astra_sk_\1_...", super().format(record))
