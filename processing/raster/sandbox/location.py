"""Where the sandbox's catalogue lies. A module of its own, as writing the catalogue loads GDAL."""

from pathlib import Path

# Raise it whenever pixels or metadata change, so that a data folder of an older release gets a new catalogue.
VERSION = 2


def catalogue_folder(directory: Path) -> Path:
    """Folder of the current catalogue below `directory`. It is either complete or missing."""
    return directory / f"v{VERSION}"
