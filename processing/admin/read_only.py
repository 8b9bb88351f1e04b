"""What the pages of rows that nobody edits have in common."""

import json
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString


class ReadOnly:
    """Nothing is added, changed or deleted by hand: the rows say what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def indented(content: Any) -> str | SafeString:
    """JSON to read; empty if there is none."""
    return format_html("<pre>{}</pre>", json.dumps(content, indent=2)) if content else ""
