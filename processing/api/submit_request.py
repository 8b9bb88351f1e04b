"""The body of a submit, read and checked."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import ValidationError as ParamsError

from astra.exceptions import InvalidRequest

from ..http.guard import ForbiddenAddress, check_form
from ..raster.errors import InvalidSceneId
from ..raster.operations import Operation, all_operations
from ..raster.params import InvalidParams
from ..raster.scenes import check_scene_id
from ..raster.types import SceneId

Fault = dict[str, Any]

_FIELDS = ("operation", "scene_ids", "params", "webhook_url")
_SHOWN = 200  # characters of a wrong value that an answer repeats


class SubmitRequest:
    """Reads the body of a submit. `faults` names everything that is wrong with it, at once."""

    def __init__(self, body: Any) -> None:
        self.faults: list[Fault] = []
        if not isinstance(body, dict):
            self._fault("", "The body must be a JSON object.", body)
            body = {}
        elif unknown := [name for name in body if name not in _FIELDS]:
            for name in unknown:
                self._fault(name, f"There is no such field; there are: {', '.join(_FIELDS)}.", body[name])
        operation = self._operation(body)
        self.operation: str = body.get("operation", "")
        self.scene_ids = self._scene_ids(body, operation)
        self.params = self._params(body, operation)  # needs the scene ids
        self.webhook_url = self._webhook_url(body)

    def raise_faults(self) -> None:
        """Raise InvalidRequest if anything is wrong; with INVALID_ID_FORMAT if only scene ids are."""
        if not self.faults:
            return
        codes = {fault["code"] for fault in self.faults}
        code = codes.pop() if len(codes) == 1 else "VALIDATION_ERROR"
        message = " ".join(dict.fromkeys(_sentence(fault) for fault in self.faults))
        raise InvalidRequest(message, self.faults, code)

    def _operation(self, body: Mapping[str, Any]) -> Operation[Any] | None:
        known = ", ".join(all_operations())
        if "operation" not in body:
            self._fault("operation", f"This field is required: one of {known}.", None)
            return None
        name = body["operation"]
        operation = all_operations().get(name) if isinstance(name, str) else None
        if operation is None:
            self._fault("operation", f"There is no such operation; there are: {known}.", name)
        return operation

    def _scene_ids(self, body: Mapping[str, Any], operation: Operation[Any] | None) -> list[str]:
        texts = body.get("scene_ids")
        if not isinstance(texts, list):
            self._fault("scene_ids", "This field is required: an array of scene ids.", texts)
            return []
        if operation and len(texts) != len(operation.scene_roles):
            roles = " and ".join(operation.scene_roles)
            self._fault("scene_ids", f"This operation takes exactly {len(operation.scene_roles)}: {roles}.", texts)
        for index, text in enumerate(texts[:10]):
            self._scene_id(f"scene_ids[{index}]", text)
            if text in texts[:index]:
                self._fault(f"scene_ids[{index}]", "The same scene is named twice.", text)
        return texts

    def _scene_id(self, parameter: str, text: Any) -> None:
        if not isinstance(text, str):
            self._fault(parameter, "A scene id is a string.", text)
            return
        try:
            check_scene_id(SceneId.parse(text))
        except InvalidSceneId as error:
            self._fault(parameter, error.message, text, code=error.code)

    def _params(self, body: Mapping[str, Any], operation: Operation[Any] | None) -> dict[str, Any]:
        params = body.get("params")
        params = {} if params is None else params
        if not isinstance(params, dict):
            self._fault("params", "This field must be an object.", params)
            return {}
        if operation is None:
            return {}
        try:
            read = operation.params_model.model_validate(params)
            if not any(fault["parameter"].startswith("scene_ids") for fault in self.faults):
                read = operation.normalise(read, [SceneId.parse(text) for text in self.scene_ids])
            return dict(read.model_dump(mode="json"))
        except ParamsError as error:
            for fault in error.errors():
                parameter = ".".join(["params", *(str(part) for part in fault["loc"])])
                self._fault(parameter, f"{fault['msg']}.", fault["input"])
        except InvalidParams as error:
            self._fault(f"params.{error.parameter}", f"{error.message}.", params.get(error.parameter))
        return {}

    def _webhook_url(self, body: Mapping[str, Any]) -> str | None:
        url = body.get("webhook_url")
        if url is None:
            return None
        if not isinstance(url, str) or len(url) > 2000:
            self._fault("webhook_url", "This field must be a URL of at most 2000 characters.", url)
            return None
        try:
            check_form(url, settings.PRIVATE_HOSTS)
        except ForbiddenAddress as error:
            self._fault("webhook_url", str(error), url)
        return url

    def _fault(self, parameter: str, message: str, received: Any, code: str = "VALIDATION_ERROR") -> None:
        shown = received if isinstance(received, int | float | bool | None) else str(received)[:_SHOWN]
        self.faults.append({"parameter": parameter, "message": message, "received": shown, "code": code})


def _sentence(fault: Fault) -> str:
    return f"{fault['parameter']}: {fault['message']}" if fault["parameter"] else str(fault["message"])
