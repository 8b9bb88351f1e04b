"""A file on this machine's disk from which a raster is read: a scene's own, or the local copy of a remote one."""

import warnings
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetReader

from ..files import LocalCopy
from ..gdal import GdalError, gdal_errors
from ..types import Band, Limits, LocalFile, Mask
from .block_layout import BlockLayout
from .checks import check_size, is_georeferenced

# Whether a raster is georeferenced is checked here, with an error of its own.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

_SIGNATURES = {
    "GTiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JP2OpenJPEG": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
}
_LONGEST_SIGNATURE = 8  # bytes


@dataclass(frozen=True, kw_only=True)
class ReadableFile:
    """The file of a band or mask. `copy` is its local copy, None if the file itself is on this machine's disk."""

    wanted: Band | Mask
    limits: Limits
    copy: LocalCopy | None = None

    @property
    def path(self) -> Path:
        if self.copy:
            return self.copy.path
        if isinstance(self.wanted.source, LocalFile):
            return self.wanted.source.path
        raise TypeError("a remote raster is read from a copy")

    def open(self, **options: str) -> DatasetReader:
        return rasterio.open(self.path, driver=self._driver() or "GTiff", sharing=False, **options)

    def open_with_layout(self, **options: str) -> tuple[DatasetReader, BlockLayout | None]:
        """Open the file after fetching enough of it to know where its blocks lie.

        Without a layout the whole file is on this machine's disk.
        """
        if self.copy and (driver := self._driver()):
            if driver != "GTiff":
                self.copy.bring_all()
            while not self.copy.is_whole:
                if by_head := self._open_by_head(self.copy.size, **options):
                    return by_head
                self.copy.bring_more_head()
        return self.open(**options), None

    def _driver(self) -> str | None:
        """The one driver that may open the file, by its first bytes; None if it is of no kind that is read.

        With a choice, GDAL would also open files that name other files.
        """
        start = b""
        with suppress(OSError), self.path.open("rb") as file:  # GDAL names what is wrong with a missing file
            start = file.read(_LONGEST_SIGNATURE)
        return next((driver for driver, signatures in _SIGNATURES.items() if start.startswith(signatures)), None)

    def _open_by_head(self, size: int, **options: str) -> tuple[DatasetReader, BlockLayout] | None:
        """Open the file by its head. None if the head of a file of `size` bytes does not describe it completely."""
        with ExitStack() as unless_described:
            try:
                with gdal_errors():
                    dataset = unless_described.enter_context(self.open(**options))
            except GdalError:
                return None
            check_size(dataset, self.wanted, self.limits)
            layout = BlockLayout.of(dataset)
            if layout is None or layout.stored_bytes > size or not is_georeferenced(dataset):
                return None
            unless_described.pop_all()
            return dataset, layout
