"""The body of a submit, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError as ParamsError

from astra.exceptions import Fault, InvalidRequest
from astra.parsing import kind_of

from ..raster.errors import InvalidSceneId
from ..raster.operations import Operation, all_operations
from ..raster.params import InvalidParams
from ..raster.scenes import check_scene_id
from ..raster.types import SceneId
from .param_sentences import param_faults
from .webhook_test import url_fault

_FIELDS = ("operation", "scene_ids", "params", "webhook_url", "dry_run")
_SCENES_LOOKED_AT = 10


@dataclass(frozen=True, kw_only=True)
class SubmitRequest:
    """What a caller asks for. `params` are normalised: as the job keeps them, with their defaults."""

    operation: str
    scene_ids: list[str]
    params: dict[str, Any]
    webhook_url: str | None
    dry_run: bool  # nothing is to be written

    @classmethod
    def parse(cls, body: Any, *, in_sandbox: bool) -> Self:
        """Raises InvalidRequest, which names everything that is wrong with the body at once.

        Scenes `in_sandbox` may have ids that no catalogue has.
        """
        reader = _Reader(body, in_sandbox)
        operation = reader.operation()
        scene_ids = reader.scene_ids(operation)
        params = reader.params(operation, scene_ids)
        webhook_url, dry_run = reader.webhook_url(), reader.dry_run()
        if reader.faults:
            raise InvalidRequest(reader.faults)
        return cls(
            operation=body["operation"], scene_ids=scene_ids, params=params, webhook_url=webhook_url, dry_run=dry_run
        )


class _Reader:
    """Reads one field after the other and collects what is wrong with them in `faults`."""

    def __init__(self, body: Any, in_sandbox: bool) -> None:
        self.faults: list[Fault] = []
        self._in_sandbox = in_sandbox
        self._body: Mapping[str, Any] = body if isinstance(body, dict) else {}
        if not isinstance(body, dict):
            self._fault("", f"The body must be a JSON object, got {kind_of(body)}.", body)
        for name in self._body:
            if name not in _FIELDS:
                self._fault(name, f"There is no such field; there are: {', '.join(_FIELDS)}.", self._body[name])

    def operation(self) -> Operation[Any] | None:
        known = ", ".join(all_operations())
        if "operation" not in self._body:
            self._fault("operation", f"This field is required: one of {known}.", None)
            return None
        name = self._body["operation"]
        operation = all_operations().get(name) if isinstance(name, str) else None
        if operation is None:
            self._fault("operation", f"There is no such operation; there are: {known}.", name)
        return operation

    def scene_ids(self, operation: Operation[Any] | None) -> list[str]:
        texts = self._body.get("scene_ids")
        if not isinstance(texts, list):
            self._fault("scene_ids", self._no_array("scene_ids"), texts)
            return []
        if operation and len(texts) != len(operation.scene_roles):
            roles = " and ".join(operation.scene_roles)
            self._fault("scene_ids", f"This operation takes exactly {len(operation.scene_roles)}: {roles}.", texts)
        for index, text in enumerate(texts[:_SCENES_LOOKED_AT]):
            self._scene_id(f"scene_ids[{index}]", text)
            if text in texts[:index]:
                self._fault(f"scene_ids[{index}]", "The same scene is named twice.", text)
        return texts

    def params(self, operation: Operation[Any] | None, scene_ids: list[str]) -> dict[str, Any]:
        """The params with their defaults. They are compared with the scenes only if those are right."""
        params = self._body.get("params")
        params = {} if params is None else params
        if not isinstance(params, dict):
            self._fault("params", f"This field must be an object, got {kind_of(params)}.", params)
            return {}
        if operation is None:
            return {}
        try:
            read = operation.params_model.model_validate(params)
            if not any(fault.parameter.startswith("scene_ids") for fault in self.faults):
                read = operation.normalise(read, [SceneId.parse(text) for text in scene_ids])
            return dict(read.model_dump(mode="json"))
        except ParamsError as error:
            self.faults += param_faults(error, operation.params_model)
        except InvalidParams as error:
            self._fault(f"params.{error.parameter}", f"{error.message}.", params.get(error.parameter))
        return {}

    def webhook_url(self) -> str | None:
        url = self._body.get("webhook_url")
        if url is None:
            return None
        if sentence := url_fault(url):
            self._fault("webhook_url", sentence, url)
            return None
        return str(url)

    def dry_run(self) -> bool:
        wanted = self._body.get("dry_run")
        if wanted is not None and not isinstance(wanted, bool):
            self._fault("dry_run", f"This field must be true or false, got {kind_of(wanted)}.", wanted)
        return wanted is True

    def _scene_id(self, parameter: str, text: Any) -> None:
        if not isinstance(text, str):
            self._fault(parameter, f"A scene id is a string, got {kind_of(text)}.", text)
            return
        try:
            check_scene_id(SceneId.parse(text), in_sandbox=self._in_sandbox)
        except InvalidSceneId as error:
            self.faults.append(Fault(parameter=parameter, message=error.message, received=text, code=error.code))

    def _no_array(self, name: str) -> str:
        if name not in self._body:
            return "This field is required: an array of scene ids."
        return f"This field must be an array of strings, got {kind_of(self._body[name])}."

    def _fault(self, parameter: str, message: str, received: Any) -> None:
        self.faults.append(Fault(parameter=parameter, message=message, received=received))
