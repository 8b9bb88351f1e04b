"""What all peers go by: the numbers of Sentinel-2, and how ASTRA lays its results down."""

from typing import Any

# Digital number of Sentinel-2 that stands for a reflectance of 0.
ZERO_REFLECTANCE = 1000
BLOCK = 512
# For the writers that speak of GDAL's GTiff driver.
DEFLATE: dict[str, Any] = {"compress": "DEFLATE", "zlevel": 1, "num_threads": "ALL_CPUS"}
# Any colours do: what is measured is a raster that has some.
PALETTE = {step: (255 - step, step, 0, 255) for step in range(1, 256)}
