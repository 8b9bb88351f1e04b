"""Catalogues: from a scene id to one STAC Item, and from the item's hrefs to sources. Asks STAC APIs and no other host.

`providers` has one file for each provider; `catalogue` lists the catalogues, `stac` is the client, `sources` decides
which hrefs may be read at all, `readiness` which of several items is read.
"""

from .providers import ANY_JOB, Provider, get_provider

__all__ = ["ANY_JOB", "Provider", "get_provider"]
