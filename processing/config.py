"""The settings, as the raster code takes them."""

from typing import cast

from django.conf import settings

from astra import __version__

from .raster.types import Catalogues, Compression, Config, Limits, Network, S3Access


def raster_config(*, use_sandbox: bool) -> Config:
    s3 = S3Access(**settings.SCENE_S3) if settings.SCENE_S3["access_key"] else None
    return Config(
        catalogues=Catalogues(
            sandbox=settings.SANDBOX_DIR if use_sandbox else None,
            roots=settings.STAC_ROOTS,
            token_root=settings.PLANETARY_COMPUTER_TOKENS,
        ),
        network=Network(private_hosts=settings.PRIVATE_HOSTS, s3=s3),
        limits=Limits(
            max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_JOB_BYTES, disk_reserve=settings.DISK_RESERVE
        ),
        threads=settings.THREADS,
        compression=cast(Compression, settings.COMPRESSION),
        version=__version__,
    )
