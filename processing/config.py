"""The settings, as the raster code takes them."""

from typing import cast

from django.conf import settings

from astra import __version__

from .raster.types import Compression, Config, S3Access


def raster_config(*, use_sandbox: bool) -> Config:
    return Config(
        sandbox_dir=settings.SANDBOX_DIR,
        use_sandbox=use_sandbox,
        version=__version__,
        stac_roots=settings.STAC_ROOTS,
        token_root=settings.PLANETARY_COMPUTER_TOKENS,
        s3=S3Access(**settings.SCENE_S3) if settings.SCENE_S3["access_key"] else None,
        private_hosts=settings.PRIVATE_HOSTS,
        max_pixels=settings.MAX_PIXELS,
        threads=settings.THREADS,
        compression=cast(Compression, settings.COMPRESSION),
    )
