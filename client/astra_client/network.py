"""HTTP in two kinds, one that blocks and one that is awaited, behind one face.

All that the client does is written once, as coroutines over a `Network`. With `BlockingNetwork` nothing in them ever
waits for an event loop, so that `finish` runs them like plain functions.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeVar

import httpx2

T = TypeVar("T")

_TIMEOUT = httpx2.Timeout(30, connect=10)


class Sink(Protocol):
    """Takes a file as it arrives."""

    def begin(self, response: httpx2.Response) -> None:
        """Called with the head of the answer; the body of a refusal has been read."""

    def write(self, chunk: bytes) -> None: ...


class Network(Protocol):
    """Each method raises httpx2.TransportError if the connection fails."""

    async def send(self, method: str, url: str, **what: Any) -> httpx2.Response: ...

    async def fetch(self, url: str, headers: Mapping[str, str], sink: Sink) -> None:
        """Send what is at `url` into `sink`, as it arrives. No key is sent."""

    async def sleep(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


class AsyncNetwork:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self._api = httpx2.AsyncClient(headers=headers, timeout=_TIMEOUT)
        self._files = httpx2.AsyncClient(timeout=_TIMEOUT, follow_redirects=True)

    async def send(self, method: str, url: str, **what: Any) -> httpx2.Response:
        return await self._api.request(method, url, **what)

    async def fetch(self, url: str, headers: Mapping[str, str], sink: Sink) -> None:
        async with self._files.stream("GET", url, headers=headers) as response:
            if response.is_error:
                await response.aread()
            sink.begin(response)
            async for chunk in response.aiter_raw():
                sink.write(chunk)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        await self._api.aclose()
        await self._files.aclose()


class BlockingNetwork:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self._api = httpx2.Client(headers=headers, timeout=_TIMEOUT)
        self._files = httpx2.Client(timeout=_TIMEOUT, follow_redirects=True)

    async def send(self, method: str, url: str, **what: Any) -> httpx2.Response:
        return self._api.request(method, url, **what)

    async def fetch(self, url: str, headers: Mapping[str, str], sink: Sink) -> None:
        with self._files.stream("GET", url, headers=headers) as response:
            if response.is_error:
                response.read()
            sink.begin(response)
            for chunk in response.iter_raw():
                sink.write(chunk)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def close(self) -> None:
        self._api.close()
        self._files.close()


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. Its network is a blocking one, so that it runs to its end at once."""
    try:
        work.send(None)
    except StopIteration as end:
        returned: T = end.value
        return returned
    raise RuntimeError("A blocking client has awaited something.")
