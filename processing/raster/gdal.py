"""GDAL's settings for this service, and one name for all of its errors."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """In the block the module cannot be imported, as if it were not installed. One that is loaded already stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as Python's documentation has it
    try:
        yield
    finally:
        del sys.modules[name]


# rasterio loads boto3 wherever it is installed, for sessions of which we use none: a fifth of a worker's start.
with _hidden("boto3"):
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.session import DummySession

_OPTIONS: dict[str, Any] = {
    # Bytes. What windows share is kept by `SharedBlocks`; this is for warping, which more does not make faster.
    "GDAL_CACHEMAX": 16 << 20,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


class GdalError(Exception):
    """GDAL could not do what was asked of it."""


def gdal_environment() -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter an environment in each."""
    return rasterio.Env(session=DummySession(), **_OPTIONS)


def enter_gdal_environment() -> rasterio.Env:
    """Set GDAL's settings for the rest of a thread's life: setting them for each read would double a short read."""
    return gdal_environment().__enter__()


@contextmanager
def gdal_errors() -> Iterator[None]:
    """Turn every error of GDAL into GdalError. Some of rasterio's classes for them have no public name."""
    try:
        yield
    except Exception as error:
        if isinstance(error, RasterioError) or type(error).__module__ == "rasterio._err":
            raise GdalError(str(error)) from error
        raise
