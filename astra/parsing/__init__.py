"""What callers send, read strictly: what can be read in two ways, or cannot be stored, is refused before any view."""

from .bodies import AlwaysJSON, BoundedJSONParser
from .json_sentences import kind_of
from .queries import check_query

__all__ = ["AlwaysJSON", "BoundedJSONParser", "check_query", "kind_of"]
