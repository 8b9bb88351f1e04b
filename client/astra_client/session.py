"""Requests that are sent as often as it takes: to the API with the key, to files without."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from .download import PartialFile
from .errors import ApiError, AstraError, CorruptDownload, Unreachable, refusal
from .network import Network
from .waiting import Patience

logger = logging.getLogger(__name__)

_ONCE_ANSWERED = 4  # an address that never answered is wrong more often than it is restarting


class Session:
    """Tries again for `patience` seconds what fails for a reason that may pass, four times that once it had an answer.

    That is 429, 5xx, and connections that cannot be made or break. `Retry-After` is obeyed.
    """

    def __init__(self, root: str, network: Network, patience: float) -> None:
        self.network = network
        self._root, self._patience, self._has_answered = root, patience, False

    async def json(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        """The JSON object with which a request is answered. Raises ApiError or Unreachable."""
        return body_of(await self.ask(method, path, **what))

    async def ask(self, method: str, path: str, **what: Any) -> httpx2.Response:
        """The answer to a request that may be repeated. Raises ApiError or Unreachable."""
        patience = self._new_patience()
        while True:
            try:
                answer = await self.network.send(method, self._root + path, **what)
            except httpx2.TransportError as error:
                problem: AstraError = _unreachable(f"{self._root} does not answer", error)
            else:
                self._has_answered = True
                if not answer.is_error:
                    return answer
                problem = _passing(refusal(answer, is_repeated=patience.failures > 0))
            await self._pause(patience, problem)

    async def receive(self, file: PartialFile, links: AsyncIterator[str]) -> None:
        """Fill the file, with a fresh link for each try, as an old one may end meanwhile. Raises as `ask` does."""
        patience, received = self._new_patience(), 0
        async for link in links:
            problem = await self._receive_more(file, link)
            if file.is_whole:
                return
            if file.received > received:
                patience.renew()
            received = file.received
            await self._pause(patience, problem)

    async def _receive_more(self, file: PartialFile, link: str) -> AstraError:
        """One try. Returns why the file may not be whole."""
        try:
            await self.network.fetch(link, file.headers, file)
        except httpx2.TransportError as error:
            return _unreachable("The download broke off, and its host does not answer", error)
        except ApiError as refused:
            return _passing(refused)
        return CorruptDownload("The file ends before the size that the job names.")

    def _new_patience(self) -> Patience:
        return Patience(self._patience * (_ONCE_ANSWERED if self._has_answered else 1))

    async def _pause(self, patience: Patience, problem: AstraError) -> None:
        """Wait for the next try. Raises the problem if there is no time for one."""
        pause = patience.pause(problem.retry_after if isinstance(problem, ApiError) else None)
        if pause is None:
            raise problem
        logger.info("%s Trying again in %.1f s.", problem.message, pause)
        await self.network.sleep(pause)


def body_of(answer: httpx2.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises Unreachable if something else than ASTRA has answered."""
    try:
        body = answer.json() if answer.is_success else None
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    to = f", to {answer.headers['Location']}" if answer.has_redirect_location else ""
    raise Unreachable(f"{answer.url} is not ASTRA: it answered {answer.status_code}{to}. Is ASTRA_API_URL right?")


def _passing(error: ApiError) -> ApiError:
    """The error, if a later try may succeed; else raises it."""
    if error.status != 429 and error.status < 500:
        raise error
    return error


def _unreachable(sentence: str, cause: httpx2.TransportError) -> Unreachable:
    problem = Unreachable(f"{sentence}: {str(cause).strip(' .') or type(cause).__name__}.")
    problem.__cause__ = cause
    return problem
