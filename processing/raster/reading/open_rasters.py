"""The rasters of a job: described together, closed together."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..files import LocalCopy
from ..files.budget import CopyBudget
from ..threads import side_by_side
from ..types import Band, Limits, LocalFile, Mask, Network
from .checks import named_errors
from .raster_file import RasterFile


class OpenRasters(ExitStack):
    """On the way out closes everything opened for the job, and removes its local copies, which are in `folder`."""

    def __init__(self, network: Network, limits: Limits, folder: Path) -> None:
        super().__init__()
        self._network, self._limits, self._folder = network, limits, folder
        self._budget = CopyBudget(limits, folder)

    def describe(self, wanted: Sequence[Band | Mask]) -> list[RasterFile]:
        """The rasters in the same order. All hosts are asked at once. Raises what fetching and opening a file does."""
        copies = side_by_side(self._copy_of, wanted)
        return [RasterFile.describe(one, self._limits, copy) for one, copy in zip(wanted, copies, strict=True)]

    def new_file(self) -> Path:
        """The path of an empty file that is removed on the way out."""
        return Path(self.enter_context(NamedTemporaryFile(dir=self._folder)).name)

    def _copy_of(self, wanted: Band | Mask) -> LocalCopy | None:
        if isinstance(wanted.source, LocalFile):
            return None
        with named_errors(wanted):
            copy = LocalCopy.fetch(wanted.source, self._network, self._folder, self._budget)
        return self.enter_context(copy)
