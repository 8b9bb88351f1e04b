"""Normalized Difference Vegetation Index: (nir - red) / (nir + red).

Source: Rouse, Haas, Schell and Deering (1974), Monitoring vegetation systems in the Great Plains with ERTS.
"""

from ._normalized_index import IndexParams, NormalizedIndex


class NdviParams(IndexParams): ...  # the name is the title of the schema in the API


class Ndvi(NormalizedIndex):
    title = "Normalized Difference Vegetation Index"
    description = (
        "Computes NDVI from the red and near infrared bands of one scene. The result is a single-band COG "
        "with values from -1.0 to 1.0, or, with a colormap, the same range as 8 bit palette indices."
    )
    index = "NDVI"
    pair = ("nir", "red")
    params_model = NdviParams


OPERATION = Ndvi()
