"""Opening a result over HTTP with the raster library that the caller has installed."""

from importlib import import_module
from typing import Any, Literal

from . import errors

# GDAL would ask the server for files that may lie beside a raster; there are none.
_NO_SIDECARS = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


def open_raster(href: str | None, kind: Literal["rasterio", "xarray"]) -> Any:
    """A rasterio dataset, or an xarray DataArray. Raises errors.NotInstalled or errors.ResultDeleted."""
    if href is None:
        raise errors.ResultDeleted
    rasterio = _installed("rasterio", kind)
    with rasterio.Env(**_NO_SIDECARS):
        if kind == "xarray":
            return _installed("rioxarray", kind).open_rasterio(href, masked=True)
        return rasterio.open(href)


def _installed(module: str, kind: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        message = f"To open results, install what reads them: pip install 'astra-client[{kind}]'"
        raise errors.NotInstalled(message) from error
