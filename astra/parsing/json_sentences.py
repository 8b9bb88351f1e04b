"""JSON in words of our own: what a value is, and why a text is none. Those of Python's library change."""

import json
from typing import Any

# By the beginning of the library's message.
_SENTENCES = {
    "Expecting value": "a value is missing, or is none that JSON has",
    "Expecting ','": "a comma or a closing bracket is missing",
    "Expecting ':'": "a colon is missing after a name",
    "Expecting property name": "a name in double quotes is missing",
    "Illegal trailing comma": "a comma stands before a closing bracket",
    "Extra data": "something follows the end of the value",
    "Unterminated string": "a string does not end",
    "Invalid control character": "a string holds a control character, such as a line break, that is not escaped",
    "Invalid \\": "a backslash begins no escape that JSON has",
    "Unexpected UTF-8 BOM": "it begins with a byte order mark",
}
_ANY_OTHER = "it cannot be read on"
_KINDS = {bool: "true or false", str: "a string", list: "an array", dict: "an object", type(None): "null"}


def kind_of(value: Any) -> str:
    """What JSON calls the value."""
    return _KINDS.get(type(value), "a number")


def sentence_of(error: json.JSONDecodeError) -> str:
    """What is wrong, with line and column."""
    known = (sentence for begin, sentence in _SENTENCES.items() if error.msg.startswith(begin))
    return f"{next(known, _ANY_OTHER)}, at line {error.lineno}, column {error.colno}."
