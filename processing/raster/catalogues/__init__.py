"""Catalogues: from a scene id to one STAC Item, and from the item's hrefs to sources. Asks STAC APIs and no other host.

`providers` has one file for each provider; `stac` is the client, `sources` decides which hrefs may be read at all.
"""

from .providers import Provider, get_provider

__all__ = ["Provider", "get_provider"]
