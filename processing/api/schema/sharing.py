"""Headers that many answers have are written once, among the components."""

from collections.abc import Iterator
from typing import Any


def share_headers(document: dict[str, Any]) -> dict[str, Any]:
    """The same document. A header that has the same name and text but is not always there gets a component, too."""
    shared: dict[str, Any] = document["components"].setdefault("headers", {})
    for answer in _answers(document):
        for name, header in answer.get("headers", {}).items():
            component = name if header.get("required") else f"{name}-at-times"
            if shared.setdefault(component, header) == header:
                answer["headers"][name] = {"$ref": f"#/components/headers/{component}"}
    return document


def _answers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        for operation in path.values():
            yield from operation["responses"].values()
