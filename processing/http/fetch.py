"""JSON from a host that is not ours. Every answer is bounded in time and size."""

import time
from collections.abc import Mapping
from typing import Any

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from .deadline import in_time
from .guard import ForbiddenAddress, PrivateHosts, host_of
from .json_values import MOST_BYTES, UnusableJson, parse_object
from .pace import Pace
from .retry import LONGEST_WAIT, PassingFault, patiently, refuse_passing_status
from .sessions import session_for

_CONNECT_SECONDS = 2.0


class HostUnavailable(Exception):
    """The host did not answer as asked. `fault` ends a sentence that begins with the host.

    `retry_after` is the pause in seconds that the host asks for, 0 if it does not ask.
    """

    def __init__(self, host: str, fault: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{host} {fault}")
        self.host, self.fault, self.retry_after = host, fault, retry_after


def fetch_json(
    url: str,
    private_hosts: PrivateHosts,
    body: Mapping[str, Any] | None = None,
    *,
    within: float,
    asks_again: bool = False,
    pace: Pace | None = None,
) -> dict[str, Any]:
    """Return the JSON object at `url`, asked for by POST if there is a body. Raises HostUnavailable.

    The host has `within` seconds in all. If it fails it is asked again, but only if `asks_again`. `pace` says when a
    host may be asked that limits the rate of requests.
    """
    ends = time.monotonic() + within

    def ask() -> dict[str, Any]:
        left = ends - time.monotonic()
        return in_time(lambda: _ask_in_turn(url, private_hosts, body, left, pace), left)

    try:
        return patiently(ask, within) if asks_again else ask()
    except PassingFault as error:
        raise _unavailable(url, error.fault, error.retry_after) from error


def _ask_in_turn(
    url: str,
    private_hosts: PrivateHosts,
    body: Mapping[str, Any] | None,
    seconds: float,
    pace: Pace | None,
) -> dict[str, Any]:
    if pace is None:
        return _ask_once(url, private_hosts, body, seconds)
    pace.wait(min(seconds, LONGEST_WAIT))
    try:
        return _ask_once(url, private_hosts, body, seconds)
    except PassingFault as fault:
        pace.pause(fault.retry_after)
        raise


def _ask_once(url: str, private_hosts: PrivateHosts, body: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
    method = "GET" if body is None else "POST"
    timeout = (min(_CONNECT_SECONDS, seconds), seconds)
    try:
        session = session_for(url, private_hosts)
        with session.request(method, url, json=body, stream=True, timeout=timeout) as response:
            refuse_passing_status(response)
            if response.status_code != 200:
                raise _unavailable(url, f"answers with status {response.status_code}")
            return _read_object(url, response)
    except ForbiddenAddress as error:
        raise _unavailable(url, f"may not be reached: {error}") from error
    except InvalidIPAddress as error:
        raise _unavailable(url, "is not a public address") from error
    except (requests.RequestException, HTTPError) as error:
        raise PassingFault("does not answer") from error


def _read_object(url: str, response: requests.Response) -> dict[str, Any]:
    content = bytearray()
    for part in response.iter_content(1 << 16):
        content += part
        if len(content) > MOST_BYTES:
            break
    try:
        return parse_object(bytes(content))
    except UnusableJson as error:
        raise _unavailable(url, str(error)) from error


def _unavailable(url: str, fault: str, retry_after: float = 0.0) -> HostUnavailable:
    return HostUnavailable(host_of(url), fault, retry_after)
