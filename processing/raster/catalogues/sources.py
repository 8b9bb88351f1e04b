"""The sources of an item's files. Hrefs come from catalogues, and only two forms of them are taken."""

import re
from collections.abc import Mapping
from typing import Any

from ..types import Network, RemoteFile, S3File, Source
from .stac import Item

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[A-Za-z0-9_./()-]+)")
_HTTP = re.compile(r"https?://[^\s\x00-\x1f<>|\"\\]+")


def sources_of(item: Item, network: Network, token_url: str = "") -> Mapping[str, Source]:
    """The sources of an item by asset key. Assets that cannot be read are left out.

    A bucket is taken if the operator has given access to buckets, else a URL if the asset has one. Paths of this
    machine, GDAL's own prefixes and everything else that is no plain URL never become a source.
    """
    found = {key: _source(asset, network, token_url) for key, asset in item.get("assets", {}).items()}
    return {key: source for key, source in found.items() if source is not None}


def _source(asset: Mapping[str, Any], network: Network, token_url: str) -> Source | None:
    alternate = asset.get("alternate")
    others = alternate.values() if isinstance(alternate, dict) else ()
    hrefs = [asset.get("href"), *(other.get("href") for other in others if isinstance(other, dict))]
    texts = [href for href in hrefs if isinstance(href, str) and ".." not in href]
    if network.s3 is not None:
        for href in texts:
            if match := _S3.fullmatch(href):
                return S3File(bucket=match["bucket"], key=match["key"])
    return next((RemoteFile(url=href, token_url=token_url) for href in texts if _HTTP.fullmatch(href)), None)
