"""Where the sandbox's catalogue lies; known without loading what is needed to write it."""

from pathlib import Path

# Goes up whenever the pixels or the metadata change, so that a data folder of an older release is written anew.
VERSION = 1


def catalogue_folder(directory: Path) -> Path:
    """Folder of the current catalogue below `directory`; it is there whole or not at all."""
    return directory / f"v{VERSION}"
