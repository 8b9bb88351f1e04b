"""What Django's debug pages hide from those who change the code with DEBUG on, and from whom they show them to."""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import pprint
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from ..logs import without_keys

_CREDENTIALS_IN_URL = re.compile(r"://\S*@")
_HIDDEN = ("SCENE_S3",)


class ReportWithoutKeys(ExceptionReporter):
    """Shows only the kind of an API key, wherever one has got into: a variable, a header, an exception's sentence."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(without_keys(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(without_keys(super().get_traceback_text()))


class WithoutSecrets(SafeExceptionReporterFilter):
    """Hides by name, as Django does, and also every text that holds a URL with a user name or password.

    That covers the settings, the environment in a request's META, and the variables of a traceback.
    """

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        if key in _HIDDEN or (isinstance(value, str) and _CREDENTIALS_IN_URL.search(value)):
            return self.cleansed_substitute
        return super().cleanse_setting(key, value)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self._cleanse_variable(name, value) for name, value in variables}.items()

    def _cleanse_variable(self, name: str, value: Any) -> Any:
        """As the page would print it, because an object's text may hold a secret, too."""
        cleansed = self.cleanse_setting(name, value)
        return self.cleansed_substitute if _CREDENTIALS_IN_URL.search(pprint(cleansed)) else cleansed
