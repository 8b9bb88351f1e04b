"""Connections to the hosts of a job's files."""

import threading
from typing import Self

import requests

from processing.http import PrivateHosts, open_session
from processing.http.guard import parse_url

_TIMEOUT = (5.0, 20.0)  # connect, and between two parts of an answer: seconds
_LONGEST_CONNECTION = 300.0  # seconds; nothing else ends headers that come drop by drop
_MOST_CONNECTIONS = 16  # kept for each host


class Connections:
    """One session for each host, shared by all threads of a job."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str, PrivateHosts], requests.Session] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for session in self._sessions.values():
            session.close()

    def session_for(self, url: str, private_hosts: PrivateHosts) -> requests.Session:
        """Return the session with the host of `url`. Raises ForbiddenAddress if the host may not be asked."""
        parts = parse_url(url, private_hosts)
        key = (parts.scheme, parts.netloc, private_hosts)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = open_session(
                    url, private_hosts, _TIMEOUT, _LONGEST_CONNECTION, connections=_MOST_CONNECTIONS
                )
            return self._sessions[key]
