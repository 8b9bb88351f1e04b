"""Remote files on this machine's disk, as far as they are needed. GDAL reads them there and never asks a host itself.

So rasters are read in one way, a host can do no more to GDAL than a file could, and waiting for hosts holds up no
computation.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Self

from ..errors import LocalCopyNotWritten, SceneReplaced
from ..threads import failing_together, side_by_side
from ..types import Network, RemoteFile, S3File
from .budget import CopyBudget
from .heads import Head, forget_head, known_head, remember_head
from .ranges import RemoteBytes, Span

# The first holds the directories of most COGs, so that one answer shows where all blocks lie; the second those of most
# other files.
_HEADS = (1 << 16, 1 << 20)
# C stdio reads ahead and caches up to 32 KiB around a request, or one of the disk's blocks. Fetch that margin too, or
# it caches zeros from a hole.
_READ_AROUND = 1 << 15
_NEAR_BYTES = 2 * _READ_AROUND
_MOST_REQUEST_BYTES = 16 << 20


class LocalCopy:
    """A remote file, of which parts are here, in a file at `path`. Any thread may bring more of it.

    Until the first `bring` the file is only its head, so reading past it fails. From then on it has its full length,
    with holes, and what is read has to be brought before. All that fetches raises SceneUnreadable, SceneTooLarge,
    ProviderUnavailable or, if the disk is full, LocalCopyNotWritten.
    """

    def __init__(
        self, source: RemoteFile | S3File, remote: RemoteBytes, descriptor: int, path: Path, budget: CopyBudget
    ) -> None:
        self._source, self._remote = source, remote
        self._descriptor, self.path, self._budget = descriptor, path, budget
        self._around = max(_READ_AROUND, os.fstat(descriptor).st_blksize)
        self._lock = Lock()
        self._asked_for: dict[Span, Future[None]] = {}
        self._head, self._after_head, self._has_holes = 0, b"", False
        # What jobs have found out about this version of the file, by names of their own. Shared as its head is.
        self.facts: dict[str, Any] = {}

    @classmethod
    def fetch(cls, source: RemoteFile | S3File, network: Network, folder: Path, budget: CopyBudget) -> "LocalCopy":
        """Begin a copy in `folder` with the head of the file."""
        remote = RemoteBytes.of(source, network)
        with _room_on_disk():
            descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
        copy = cls(source, remote, descriptor, Path(name), budget)
        try:
            copy._begin()
        except BaseException:
            copy.remove()
            raise
        return copy

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    @property
    def size(self) -> int:
        return self._remote.size or 0

    @property
    def etag(self) -> str | None:
        """The version of the file, as its host names it; None if it does not."""
        return self._remote.version

    @property
    def is_whole(self) -> bool:
        return self._head >= self.size

    @property
    def has_only_its_first_head(self) -> bool:
        return self._head <= _HEADS[0] and not self._has_holes

    def bring_more_head(self) -> None:
        """Fetch a longer head: 64 KiB, then 1 MiB, then the whole file. For one thread only."""
        longer = next((head for head in _HEADS if head > self._head), None)
        if longer is None or self._has_holes:
            self.bring_all()
            return
        self._show_after_head()
        self._read(Span(self._head, longer + self._around))
        self._end_head_at(longer)

    def bring_all(self) -> None:
        """Fetch the rest of the file. For one thread only."""
        self._show_after_head()
        starts = range(self._head, self.size, _MOST_REQUEST_BYTES)
        parts = [Span(start, min(start + _MOST_REQUEST_BYTES, self.size)) for start in starts]
        side_by_side(self._read, parts)
        self._head = self.size

    def bring(self, spans: Iterable[Span]) -> None:
        """Return once these spans are here. Waits for those that another thread is fetching."""
        wanted = set() if self.is_whole else set(spans)
        with self._lock:
            self._take_full_length()
            mine = {span: Future[None]() for span in wanted if span not in self._asked_for}
            self._asked_for.update(mine)
        with failing_together(mine.values()):
            for run in runs(mine):
                self._fetch(run)
                for span in run:
                    mine[span].set_result(None)
        for span in wanted:
            self._asked_for[span].result()

    def remove(self) -> None:
        with suppress(OSError):  # a full disk refuses what is still in memory; the file is thrown away anyway
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        if (head := known_head(self._source)) is not None:
            self._remote.expect(head.size, head.version)
            self._write(0, head.content)
            self._end_head_at(_HEADS[0])
            self.facts = head.facts
            return
        self.bring_more_head()
        content = os.pread(self._descriptor, self._head, 0) + self._after_head
        if self.etag is not None and len(content) <= _HEADS[0] + self._around:  # more if the host knows no ranges
            head = Head(content=content, size=self.size, version=self.etag, facts=self.facts)
            remember_head(self._source, head)

    def _end_head_at(self, end: int) -> None:
        """Keep back what is here beyond `end`, unless the whole file is here."""
        self._head = os.fstat(self._descriptor).st_size
        if not self.is_whole:
            self._head = end
            self._after_head = os.pread(self._descriptor, self._around, end)
            os.ftruncate(self._descriptor, end)

    def _show_after_head(self) -> None:
        """Append the margin that was fetched beyond the head and kept back until more of the file follows it."""
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
        if needed.start < needed.stop:  # a span beyond the end of the file is left to fail when it is read
            self._read(needed)

    def _read(self, span: Span) -> None:
        try:
            self._remote.read(span, self._write)
        except SceneReplaced:
            forget_head(self._source)
            raise

    def _write(self, offset: int, part: bytes) -> None:
        self._budget.take(len(part))
        with _room_on_disk():
            while part:
                written = os.pwrite(self._descriptor, part, offset)
                offset, part = offset + written, part[written:]


@contextmanager
def _room_on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalCopyNotWritten("The disk of the service has no room for the files of the scene.") from error


def runs(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Group spans that lie close to each other into runs, each worth one request."""
    run: list[Span] = []
    for span in sorted(spans):
        if run and not (span.start - run[-1].stop <= _NEAR_BYTES and span.stop - run[0].start <= _MOST_REQUEST_BYTES):
            yield run
            run = []
        run.append(span)
    if run:
        yield run
