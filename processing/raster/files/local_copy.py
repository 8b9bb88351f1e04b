"""Remote files on this machine's disk, as far as they are needed. GDAL reads them there and never asks a host itself.

So there is one way of reading rasters, a host can do nothing to GDAL that a file could not, and who waits for hosts
holds up nobody who computes.
"""

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from ..errors import ResultNotWritten
from ..threads import side_by_side
from ..types import Config, RemoteFile, S3File
from .ranges import Connections, RemoteBytes, Span

# The first holds the directories of most COGs, so that one answer tells where all blocks lie; the second those of most
# others.
_HEADS = (1 << 16, 1 << 20)
# C libraries read more than they are asked for and keep it: up to so many bytes before and after, or one of the disk's
# blocks. That must be here, too, or what they keep of a hole would hide what is brought there later.
_READ_AROUND = 1 << 15
_NEAR_BYTES = 2 * _READ_AROUND
_MOST_REQUEST_BYTES = 16 << 20


class LocalCopy:
    """A remote file, of which parts are here, in a file at `path`. Any thread may bring more of it.

    At first it is as short as its head: whoever reads on fails, and takes nothing for data that was never fetched. From
    the first `bring` on it has its full length, with holes, and what is read has to be brought before. All that fetches
    raises SceneUnreadable, SceneTooLarge, ProviderUnavailable or, where the disk is full, ResultNotWritten.
    """

    def __init__(self, source: RemoteFile | S3File, config: Config, connections: Connections, folder: Path) -> None:
        self._remote = RemoteBytes(source, config, connections)
        with _room_on_disk():
            self._descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
            self._around = max(_READ_AROUND, os.fstat(self._descriptor).st_blksize)
        self.path = Path(name)
        self._lock = threading.Lock()
        self._asked_for: dict[Span, Future[None]] = {}
        self._head, self._after_head, self._has_holes = 0, b"", False
        try:
            self.bring_more_head()
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._remove()

    @property
    def size(self) -> int:
        return self._remote.size or 0

    @property
    def is_whole(self) -> bool:
        return self._head >= self.size

    def begins_with(self, signatures: Iterable[bytes]) -> bool:
        return any(os.pread(self._descriptor, len(signature), 0) == signature for signature in signatures)

    def bring_more_head(self) -> None:
        """Fetch more of what the file begins with: some of it, then much, then all. Not for several threads."""
        longer = next((head for head in _HEADS if head > self._head), None)
        if longer is None or self._has_holes:
            self.bring_all()
            return
        self._show_after_head()
        self._remote.read(Span(self._head, longer + self._around), self._write)
        self._head = os.fstat(self._descriptor).st_size
        if not self.is_whole:
            self._head = longer
            self._after_head = os.pread(self._descriptor, self._around, longer)
            os.ftruncate(self._descriptor, longer)

    def bring_all(self) -> None:
        """Fetch what is missing of the file as a whole. Not for several threads."""
        self._show_after_head()
        starts = range(self._head, self.size, _MOST_REQUEST_BYTES)
        parts = [Span(start, min(start + _MOST_REQUEST_BYTES, self.size)) for start in starts]
        side_by_side(lambda part: self._remote.read(part, self._write), parts)
        self._head = self.size

    def bring(self, spans: Iterable[Span]) -> None:
        """Return when these are here. What is under way in another thread is waited for."""
        wanted = set() if self.is_whole else set(spans)
        with self._lock:
            self._take_full_length()
            mine = {span: Future[None]() for span in wanted if span not in self._asked_for}
            self._asked_for.update(mine)
        try:
            for run in runs(mine):
                self._fetch(run)
                for span in run:
                    mine[span].set_result(None)
        except BaseException as error:
            for promised in mine.values():
                if not promised.done():
                    promised.set_exception(error)
            raise
        for span in wanted:
            self._asked_for[span].result()

    def _show_after_head(self) -> None:
        """Put what was fetched beyond the head, and kept back until something follows it, in its place."""
        self._write(self._head, self._after_head)
        self._head, self._after_head = self._head + len(self._after_head), b""

    def _take_full_length(self) -> None:
        if not self._has_holes:
            self._show_after_head()
            with _room_on_disk():
                os.ftruncate(self._descriptor, self.size)
            self._has_holes = True

    def _fetch(self, run: list[Span]) -> None:
        start, stop = min(run).start, max(span.stop for span in run)
        needed = Span(max(0, start - self._around), min(stop + self._around, self.size))
        if needed.start < needed.stop:  # else it lies beyond the file's end, which whoever reads it finds out
            self._remote.read(needed, self._write)

    def _write(self, offset: int, part: bytes) -> None:
        with _room_on_disk():
            while part:
                written = os.pwrite(self._descriptor, part, offset)
                offset, part = offset + written, part[written:]

    def _remove(self) -> None:
        with suppress(OSError):  # a full disk refuses what has not left memory yet; it is thrown away anyway
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


@contextmanager
def _room_on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultNotWritten("The disk of the service has no room for the files of the scene.") from error


def runs(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Spans that lie beside each other, put together to what is worth a request."""
    run: list[Span] = []
    for span in sorted(spans):
        if run and not (span.start - run[-1].stop <= _NEAR_BYTES and span.stop - run[0].start <= _MOST_REQUEST_BYTES):
            yield run
            run = []
        run.append(span)
    if run:
        yield run
