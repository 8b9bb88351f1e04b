"""How one address and method is described."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse, extend_schema
from pydantic import BaseModel

from astra.exceptions import Problem

from .errors import refusals

Described = Callable[[Any], Any]


def endpoint(
    operation_id: str,
    tag: str,
    summary: str,
    description: str,
    *,
    answers: Mapping[int | tuple[int, str], OpenApiResponse],
    problems: Iterable[Problem],
    parameters: Sequence[OpenApiParameter] = (),
    request: Any = None,
) -> Described:
    """`parameters` are also the headers of answers."""
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description,
        parameters=list(parameters),
        request=request,
        responses={**answers, **refusals(problems)},
    )


def answer(body: type[BaseModel] | Mapping[str, Any] | None, description: str, **examples: Any) -> OpenApiResponse:
    return OpenApiResponse(body, description, _named(examples))


def json_request(body: type[BaseModel], **examples: Any) -> dict[str, OpenApiRequest]:
    return {"application/json": OpenApiRequest(body, examples=_named(examples))}


def _named(examples: Mapping[str, Any]) -> list[OpenApiExample]:
    return [OpenApiExample(name, value=value) for name, value in examples.items()]
