"""The API described as OpenAPI 3.1, for generated clients, tools and people.

`OpenApiDocument` serves the document, `DescribedView` is what REST framework makes of a view for it.
"""

from .document import OpenApiDocument
from .extensions import DescribedView

__all__ = ["DescribedView", "OpenApiDocument"]
