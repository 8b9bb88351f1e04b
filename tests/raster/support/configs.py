"""The operator's decisions in tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from processing.raster.types import Catalogues, Config, Limits, Network, S3Access

LIMITS = Limits(max_pixels=1e9)


def config_for(
    *,
    sandbox: Path | None = None,
    roots: Mapping[str, Sequence[str]] | None = None,
    token_root: str = "",
    private_hosts: frozenset[str] = frozenset(),
    s3: S3Access | None = None,
    max_pixels: float = LIMITS.max_pixels,
    version: str = "",
) -> Config:
    """Scenes come from the sandbox in that folder, else from the STAC APIs at `roots`, else from the real ones."""
    return Config(
        catalogues=Catalogues(sandbox=sandbox, roots=roots or {}, token_root=token_root),
        network=Network(private_hosts=private_hosts, s3=s3),
        limits=Limits(max_pixels=max_pixels),
        version=version,
    )
