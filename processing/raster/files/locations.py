"""Where the bytes of a source are asked for: at a URL, which may need a token, or in a bucket, by signed requests."""

import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urljoin

import requests

from processing.http import PrivateHosts
from processing.http.guard import host_of

from ..errors import SceneUnreadable
from ..types import Network, RemoteFile, S3Access, S3File
from . import buckets
from .tokens import Tokens

_REGION = re.compile(r"[a-z0-9-]{1,32}")
_OTHER_REGION = (301, 307, 400)

_tokens = Tokens()


class Location(Protocol):
    """Where one file is asked for."""

    private_hosts: PrivateHosts

    @property
    def host(self) -> str: ...

    def url(self) -> str:
        """The URL of the next request. Raises ProviderUnavailable if a token cannot be had."""

    def headers(self, url: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """The headers of a request to `url`: those `wanted`, and credentials if the location has any."""

    def moved_to(self, response: requests.Response) -> str | None:
        """The URL to ask next, if the answer leads there. Raises SceneUnreadable if it leads to no good place."""


def location_of(source: RemoteFile | S3File, network: Network) -> Location:
    """Raises SceneUnreadable if the operator has given no access to buckets and the file is in one."""
    if isinstance(source, RemoteFile):
        return WebLocation(source, network.private_hosts)
    if network.s3 is None:
        raise SceneUnreadable(f"The operator has given no access to buckets such as {source.bucket}.")
    return BucketLocation(source, network.s3, network.private_hosts)


class WebLocation:
    """A file behind http(s). If its catalogue asks for a token, each request bears one that is still good."""

    def __init__(self, source: RemoteFile, private_hosts: PrivateHosts) -> None:
        self._source, self.private_hosts = source, private_hosts

    @property
    def host(self) -> str:
        return host_of(self._source.url)

    def url(self) -> str:
        url = self._source.url
        if self._source.token_url:
            url += f"{'&' if '?' in url else '?'}{_tokens.get(self._source.token_url, self.private_hosts)}"
        return url

    def headers(self, url: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
        return wanted

    def moved_to(self, response: requests.Response) -> str | None:
        if not response.is_redirect:
            return None
        try:
            return urljoin(response.url, response.headers["Location"])
        except ValueError as error:
            raise unreadable(response.url, "redirects to an address that is not a URL") from error


class BucketLocation:
    """A file in a bucket. Requests are signed for the bucket's region, which the store corrects if ours is wrong."""

    def __init__(self, source: S3File, access: S3Access, private_hosts: PrivateHosts) -> None:
        self._source, self._access, self._region = source, access, buckets.region_of(source, access)
        self.private_hosts = private_hosts | buckets.hosts_of(access)

    @property
    def host(self) -> str:
        return host_of(self.url())

    def url(self) -> str:
        return buckets.url_of(self._source, self._access, self._region)

    def headers(self, url: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
        return buckets.signed(url, wanted, self._access, self._region)

    def moved_to(self, response: requests.Response) -> str | None:
        region = response.headers.get("x-amz-bucket-region", self._region)
        if response.status_code in _OTHER_REGION and region != self._region and _REGION.fullmatch(region):
            self._region = region
            buckets.learn_region(self._source, self._access, region)
            return self.url()
        if response.is_redirect:
            raise unreadable(response.url, "redirects to a host that must not get the credentials of the bucket")
        return None


def unreadable(url: str, fault: str) -> SceneUnreadable:
    """`fault` ends a sentence that begins with the host of `url`, which must not be malformed."""
    host = host_of(url)
    return SceneUnreadable(f"The host {host} {fault}.", host=host)
