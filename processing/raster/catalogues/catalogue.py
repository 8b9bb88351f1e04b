"""The catalogues that are known: their collections, and what it takes to read their files."""

from dataclasses import dataclass, replace
from enum import Enum

from processing.http.guard import host_of

from ..types import Network, S3Access

_CDSE_STORE = "eodata.dataspace.copernicus.eu"
_CDSE_BUCKET = "eodata"


class Files(Enum):
    """Where the files of a catalogue are."""

    PUBLIC = "behind URLs that all may read, if need be with a token of the catalogue"
    AWS = "in buckets at AWS; URLs, if there are any, ask for a login"
    CDSE = "in the bucket of CDSE"

    def can_be_read(self, s3: S3Access | None) -> bool:
        """Whether the operator has given the access that these files need."""
        if self is Files.PUBLIC:
            return True
        return s3 is not None and is_cdse(s3) == (self is Files.CDSE)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The collections in which a catalogue has one kind of products, the newest first, and their files."""

    collections: tuple[str, ...]
    files: Files = Files.PUBLIC


_SENTINEL_2 = Holding(collections=("sentinel-2-c1-l2a", "sentinel-2-l2a"))
_LANDSAT = Holding(collections=("landsat-c2l2-sr", "landsat-c2-l2"))


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A STAC API, and what is special about it. The defaults are for one that the operator has named.

    `token_root` is where the tokens of its files come from, by collection, and `token_hosts` how the names of the hosts
    end that may be shown one. `requests_per_second` is what it allows.
    """

    root: str
    sentinel_2: Holding = _SENTINEL_2
    landsat: Holding = _LANDSAT
    token_root: str = ""
    token_hosts: str = ""
    requests_per_second: float | None = None

    @property
    def host(self) -> str:
        return host_of(self.root)


EARTH_SEARCH = Catalogue(
    root="https://earth-search.aws.element84.com/v1",
    landsat=Holding(collections=("landsat-c2-l2",), files=Files.AWS),
)
PLANETARY_COMPUTER = Catalogue(
    root="https://planetarycomputer.microsoft.com/api/stac/v1",
    sentinel_2=Holding(collections=("sentinel-2-l2a",)),
    landsat=Holding(collections=("landsat-c2-l2",)),
    token_root="https://planetarycomputer.microsoft.com/api/sas/v1/token",  # noqa: S106
    token_hosts=".blob.core.windows.net",  # noqa: S106
)
LANDSATLOOK = Catalogue(
    root="https://landsatlook.usgs.gov/stac-server",
    landsat=Holding(collections=("landsat-c2l2-sr",), files=Files.AWS),
)
# CDSE allows 5 requests a second.
CDSE = Catalogue(
    root="https://stac.dataspace.copernicus.eu/v1",
    sentinel_2=Holding(collections=("sentinel-2-l2a",), files=Files.CDSE),
    requests_per_second=5,
)
_KNOWN = {catalogue.host: catalogue for catalogue in (EARTH_SEARCH, PLANETARY_COMPUTER, LANDSATLOOK, CDSE)}


def catalogue_at(root: str) -> Catalogue:
    """The catalogue with this root: by its host one of those that are known, else one of which nothing is known."""
    known = _KNOWN.get(host_of(root))
    return replace(known, root=root) if known else Catalogue(root=root)


def is_cdse(s3: S3Access) -> bool:
    """Whether this is access to the store of CDSE, which has one bucket of its own and no other."""
    return s3.endpoint.partition("://")[2].rstrip("/") == _CDSE_STORE or s3.endpoint == _CDSE_STORE


def has_bucket(network: Network, bucket: str) -> bool:
    """Whether the operator has given access to a store that may hold this bucket."""
    return network.s3 is not None and (not is_cdse(network.s3) or bucket == _CDSE_BUCKET)
