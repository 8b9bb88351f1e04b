"""The body of a submit: for each operation one model, which holds the operation's own params."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from ....raster.operations import Operation, all_operations

_LONGEST_URL = 2000


class _Submit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    webhook_url: str | None = Field(
        default=None,
        max_length=_LONGEST_URL,
        description="Gets one POST when the job ends: a public https address, at port 443 or 8443.",
    )
    dry_run: bool | None = Field(default=None, description="Write nothing, and say what the job would do.")


def submit_model() -> type[BaseModel]:
    """The union of all operations, told apart by `operation`."""
    models: list[Any] = [_of_operation(name, operation) for name, operation in all_operations().items()]
    union: Any = Annotated[reduce(or_, models), Field(discriminator="operation")] if len(models) > 1 else models[0]
    root: Any = RootModel
    required = ConfigDict(json_schema_extra={"required": ["operation", "scene_ids"]})
    return type("Submit", (root[union],), {"__doc__": "A job to be done.", "model_config": required})


def _of_operation(name: str, operation: Operation[Any]) -> type[BaseModel]:
    roles = operation.scene_roles
    scenes: Any = Field(
        description=f"provider:original_id of: {', '.join(roles)}.",
        min_length=len(roles),
        max_length=len(roles),
        json_schema_extra={"uniqueItems": True},
    )
    fields: dict[str, Any] = {
        "operation": (Literal[name], ...),
        "scene_ids": (list[str], scenes),
        "params": (operation.params_model | None, None),
    }
    title = f"{name.title().replace('_', '')}Submit"
    return create_model(title, __base__=_Submit, __doc__=operation.description, **fields)
