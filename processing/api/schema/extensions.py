"""Where drf-spectacular is told of our views, keys and common headers."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema_view

from . import headers
from .endpoints import endpoints


class DescribedView(AutoSchema):
    """What drf-spectacular makes of a view, with the headers that all have."""

    def get_override_parameters(self) -> list[Any]:
        of_keys = headers.WITH_A_KEY if self.view.get_authenticators() else []
        return [*super().get_override_parameters(), *headers.EVERYWHERE, *of_keys]


class ViewExtension(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    """Raises KeyError for a view that nobody has described."""

    target_class = "rest_framework.views.APIView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        described = endpoints()[f"{self.target.__module__}.{self.target.__qualname__}"]
        return extend_schema_view(**described)(type(self.target.__name__, (self.target,), {}))


class KeyExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        description = "An API key: `astra_sk_live_...` reads the real catalogues, `astra_sk_test_...` the sandbox."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "astra_sk_", "description": description}
