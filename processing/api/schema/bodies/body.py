"""What bodies are described with: pydantic models that are made into JSON Schema, and never into objects."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.plumbing import ResolvedComponent
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema

_REF = "#/components/schemas/{model}"
# The default of a field that is left out rather than null.
ABSENT: Any = Field(default_factory=dict)


class Body(BaseModel):
    model_config = ConfigDict(populate_by_name=True)


class OpenBody(BaseModel):
    """May have fields that are not named here."""

    model_config = ConfigDict(extra="allow")


def one_of(values: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(values)})


class Untitled(GenerateJsonSchema):
    """Without titles of fields, which repeat their names, and after which generated clients name what lies in them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class BodyExtension(PydanticExtension):  # type: ignore[no-untyped-call]
    """Writes a model, and those in it, among the components."""

    priority = 1

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schemas = schemas_of(self.target)
        own: dict[str, Any] = schemas.pop(self.target.__name__)
        for name, part in schemas.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part
            )
            auto_schema.registry.register_on_missing(component)
        return own


def schemas_of(model: type[BaseModel]) -> dict[str, Any]:
    """By name, the JSON Schema of the model and of those in it."""
    schema = model.model_json_schema(ref_template=_REF, schema_generator=Untitled)
    return {**schema.pop("$defs", {}), model.__name__: schema}
