"""The settings and the params of a job, as the raster code takes them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.conf import settings

from astra import __version__

from .raster.operations import get_operation
from .raster.types import Catalogues, Compression, Config, Limits, Network, RasterJob, S3Access, SceneId

# Processes of this worker that share its threads. Set before they are forked.
_processes = 1


def share_threads(processes: int) -> None:
    """For the main process of a worker, before it starts the processes of its pool."""
    global _processes
    _processes = processes


def threads_beside(others: int) -> int:
    """Threads for one job of a worker, while `others` are at work or wait: all for one alone, else an equal part.

    In a backlog jobs of one thread each get more done than jobs of several threads one after the other (see
    docs/performance.md), and nobody waits for a single one of them.
    """
    return max(1, settings.THREADS // min(1 + others, _processes))


def most_beside() -> int:
    """How many other jobs matter to the threads of one."""
    return _processes - 1


def raster_config(*, use_sandbox: bool, max_pixels: float | None = None, threads: int = 1) -> Config:
    """`max_pixels` are those of one band that may be read, by default as many as the settings say."""
    s3 = S3Access(**settings.SCENE_S3) if settings.SCENE_S3["access_key"] else None
    return Config(
        catalogues=Catalogues(
            sandbox=settings.SANDBOX_DIR if use_sandbox else None,
            roots=settings.STAC_ROOTS,
            token_root=settings.PLANETARY_COMPUTER_TOKENS,
        ),
        network=Network(private_hosts=settings.PRIVATE_HOSTS, s3=s3),
        limits=Limits(
            max_pixels=settings.MAX_PIXELS if max_pixels is None else max_pixels,
            max_bytes=settings.MAX_JOB_BYTES,
            disk_reserve=settings.DISK_RESERVE,
        ),
        threads=threads,
        compression=cast(Compression, settings.COMPRESSION),
        version=__version__,
    )


def raster_job(operation: str, scene_ids: Sequence[str], params: Mapping[str, Any]) -> RasterJob:
    """What a job asks for, by the columns of its row."""
    return RasterJob(
        operation=operation,
        scene_ids=tuple(SceneId.parse(text) for text in scene_ids),
        params=get_operation(operation).params_model.model_validate(params),
    )
