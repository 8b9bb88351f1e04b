"""Query strings: no parameter twice, and only text."""

import re
from collections import Counter
from urllib.parse import parse_qsl

from ..exceptions import Fault, InvalidRequest

_ODD = re.compile("[\0\ud800-\udfff]")


def check_query(query: str) -> None:
    """Raise InvalidRequest for a query string that names a parameter twice, or holds what is not text."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    times = Counter(name for name, _ in pairs)
    faults = [_fault(name, "A parameter may be sent once only.") for name in times if times[name] > 1]
    faults += [
        _fault(name, "This is not text in UTF-8, or holds NUL.") for name, value in pairs if is_odd(name + value)
    ]
    if faults:
        raise InvalidRequest(faults)


def is_odd(text: str) -> bool:
    """Whether the text holds NUL or a lone surrogate, which a database refuses."""
    return _ODD.search(text) is not None


def _fault(name: str, message: str) -> Fault:
    return Fault(parameter=name.encode(errors="replace").decode(), message=message, received=None)
