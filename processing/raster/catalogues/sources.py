"""The sources of an item's files. Hrefs come from catalogues, and only two forms of them are taken."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from processing.http import ForbiddenAddress
from processing.http.guard import is_private_host, parse_url

from ..types import Network, RemoteFile, S3File, Scene, SceneId, Source
from .catalogue import Catalogue, Files, Holding, has_bucket
from .stac import Item

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[A-Za-z0-9_./()-]+)")
_HTTP = re.compile(r"https?://[^\s\x00-\x1f<>|\"\\]+")


def scene_of(scene_id: SceneId, item: Item, catalogue: Catalogue, holding: Holding, network: Network) -> Scene:
    """The scene that `item` of the catalogue is, found by `scene_id`.

    Only a holding of public files has URLs that can be read: others lead to a login.
    """
    collection = quote(str(item.get("collection") or holding.collections[0]), safe="")
    token = Token(url=f"{catalogue.token_root}/{collection}", hosts=catalogue.token_hosts)
    sources = sources_of(
        item, network, token if catalogue.token_root else None, with_urls=holding.files is Files.PUBLIC
    )
    return Scene(id=scene_id, item=item, sources=sources, catalogue=catalogue.host)


@dataclass(frozen=True, kw_only=True)
class Token:
    """Where the token of an item's files comes from. It is shown to the catalogue's own stores only.

    These are the `hosts` whose names end so, and those of the operator: an item can name any host.
    """

    url: str
    hosts: str

    def is_for(self, href: str, network: Network) -> bool:
        try:
            parts = parse_url(href, network.private_hosts)
        except ForbiddenAddress:
            return False  # it is never asked, either
        own = bool(self.hosts) and (parts.hostname or "").endswith(self.hosts)
        return own or is_private_host(parts, network.private_hosts)


def sources_of(
    item: Item, network: Network, token: Token | None = None, *, with_urls: bool = True
) -> Mapping[str, Source]:
    """The sources of an item by asset key. Assets that cannot be read are left out.

    A bucket is taken if the operator has given access to it, else a URL if the asset has one. Paths of this
    machine, GDAL's own prefixes and everything else that is no plain URL never become a source.
    """
    found = {key: _source(asset, network, token, with_urls) for key, asset in item.get("assets", {}).items()}
    return {key: source for key, source in found.items() if source is not None}


def _source(asset: Mapping[str, Any], network: Network, token: Token | None, with_urls: bool) -> Source | None:
    alternate = asset.get("alternate")
    others = alternate.values() if isinstance(alternate, dict) else ()
    hrefs = [asset.get("href"), *(other.get("href") for other in others if isinstance(other, dict))]
    texts = [href for href in hrefs if isinstance(href, str) and ".." not in href]
    for href in texts:
        if (match := _S3.fullmatch(href)) and has_bucket(network, match["bucket"]):
            return S3File(bucket=match["bucket"], key=match["key"])
    urls = [href for href in texts if with_urls and _HTTP.fullmatch(href)]
    return _remote_file(urls[0], network, token) if urls else None


def _remote_file(url: str, network: Network, token: Token | None) -> RemoteFile:
    return RemoteFile(url=url, token_url=token.url if token and token.is_for(url, network) else "")
