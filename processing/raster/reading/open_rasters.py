"""The rasters of a job: opened together, closed together."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ..files.local_copy import LocalCopy
from ..files.ranges import Connections
from ..threads import side_by_side
from ..types import Band, Config, LocalFile, Mask
from .raster_file import RasterFile, named_errors


class OpenRasters(ExitStack):
    """Closes on the way out what was opened by it, and removes the copies of remote files, which are in `folder`."""

    def __init__(self, config: Config, folder: Path) -> None:
        super().__init__()
        self._config, self._folder = config, folder
        self._connections = self.enter_context(Connections())

    def open_all(self, wanted: Mapping[str, Band | Mask]) -> dict[str, RasterFile]:
        """Those rasters by the same names. Hosts are asked all at once. Raises what copying and opening a file does."""
        copies = side_by_side(self._copy_of, wanted.values())
        opened = (RasterFile(one, self._config, copy) for one, copy in zip(wanted.values(), copies, strict=True))
        return {name: self.enter_context(file) for name, file in zip(wanted, opened, strict=True)}

    def _copy_of(self, wanted: Band | Mask) -> LocalCopy | None:
        if isinstance(wanted.source, LocalFile):
            return None
        with named_errors(wanted):
            return self.enter_context(LocalCopy(wanted.source, self._config, self._connections, self._folder))
