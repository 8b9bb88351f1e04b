"""What is wrong with an operation's params, in words of our own: those of pydantic are for programmers."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic import ValidationError as ParamsError
from pydantic_core import ErrorDetails

from astra.exceptions import Fault
from astra.parsing import kind_of

# By pydantic's type of the error. In braces what its context holds, and `got`, what was sent.
_SENTENCES = {
    "value_error": "{error}.",
    "literal_error": "This must be {choices}, got {got}.",
    "string_type": "This must be a string, got {got}.",
    "bool_type": "This must be true or false, got {got}.",
    "float_type": "This must be a number, got {got}.",
    "int_type": "This must be a whole number, got {got}.",
    "list_type": "This must be an array, got {got}.",
    "dict_type": "This must be an object, got {got}.",
    "finite_number": "This must be a finite number.",
    "greater_than": "This must be above {gt:g}.",
    "greater_than_equal": "This must be {ge:g} or more.",
    "less_than": "This must be below {lt:g}.",
    "less_than_equal": "This must be {le:g} or less.",
    "too_short": "This must hold {min_length} or more, and holds {actual_length}.",
    "too_long": "This must hold {max_length} or fewer, and holds {actual_length}.",
    "string_pattern_mismatch": "This has a form that no such name has.",
    "missing": "This param is required.",
}
_ANY_OTHER = "This value is not possible here; it is {got}."


def param_faults(error: ParamsError, model: type[BaseModel]) -> list[Fault]:
    """One fault for each error, with the path to what is wrong: `params.bands[2]`."""
    return [
        Fault(parameter=_path(each["loc"]), message=_sentence(each, model), received=each["input"])
        for each in error.errors()
    ]


def _path(places: Sequence[int | str]) -> str:
    return "params" + "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        return f"There is no such param; there are: {', '.join(sorted(model.model_fields))}."
    context: dict[str, Any] = error.get("ctx", {})
    choices = str(context.get("expected", "")).replace("'", "")
    got = error["input"] if isinstance(error["input"], str) else kind_of(error["input"])
    return _SENTENCES.get(error["type"], _ANY_OTHER).format(**context, choices=choices, got=got[:40])
