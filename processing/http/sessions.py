"""One session for each host, shared by all threads and jobs of a process, so that connections stay open."""

import threading

import requests

from .guard import PrivateHosts, open_session, parse_url
from .recent import Recent

_TIMEOUT = (5.0, 20.0)  # connect, and between two parts of an answer: seconds
_LONGEST_CONNECTION = 300.0  # seconds; nothing else ends headers that come drop by drop
# An older session begins no answer any more: the end of its connections would cut it off.
_FRESH_SECONDS = 120.0
_MOST_HOSTS = 64
_MOST_CONNECTIONS = 16  # kept for each host

_sessions: Recent[requests.Session] = Recent(seconds=_FRESH_SECONDS, most=_MOST_HOSTS)
_opening = threading.Lock()


def session_for(url: str, private_hosts: PrivateHosts) -> requests.Session:
    """The session with the host of `url`; it is not to be closed. Raises ForbiddenAddress if it may not be asked."""
    parts = parse_url(url, private_hosts)
    key = f"{parts.scheme}://{parts.netloc} {sorted(private_hosts)}"
    with _opening:
        session = _sessions.get(key)
        if session is None:
            session = open_session(url, private_hosts, _TIMEOUT, _LONGEST_CONNECTION, connections=_MOST_CONNECTIONS)
            _sessions.put(key, session)
    return session
