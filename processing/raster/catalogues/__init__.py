"""Catalogues: from a scene id to one STAC Item, and from its hrefs to sources. Asks STAC APIs and nobody else."""
