"""Keeps API keys out of the logs."""

import logging
import re

_KEY = re.compile(r"astra_sk_(live|test)_[0-9A-Za-z]{4,}")


class RedactKeys(logging.Filter):
    """Replaces every API key in a record's message by its kind."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _KEY.search(message):
            record.msg, record.args = _KEY.sub(r"astra_sk_\1_...", message), None
        return True
