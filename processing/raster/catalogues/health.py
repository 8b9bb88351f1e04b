"""Which catalogues failed lately, in the memory of this process."""

from collections.abc import Iterable

from processing.http.recent import Recent

from .catalogue import Catalogue

_failed: Recent[bool] = Recent(seconds=60, most=64)


def note_failure(catalogue: Catalogue) -> None:
    """Have the catalogue asked after all others for a minute."""
    _failed.put(catalogue.host, True)


def failed_lately(catalogue: Catalogue) -> bool:
    return _failed.get(catalogue.host) is not None


def healthy_first(catalogues: Iterable[Catalogue]) -> list[Catalogue]:
    """The catalogues in their order, but those that failed within the last minute at the end."""
    return sorted(catalogues, key=failed_lately)
