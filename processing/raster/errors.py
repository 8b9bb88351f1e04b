"""What can go wrong between scene ids and a finished COG, each with a code the API shows and a sentence to act on."""

from typing import Any, ClassVar, Self

_LONGEST_TEXT = 1000


def shortened(text: str) -> str:
    """The text at a length that can be read: it may quote what a catalogue or a file says."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."


class RasterError(Exception):
    """A job cannot go on. `message` is for the caller, `details` name the scene, band or stage. Long texts are cut.

    `retryable` says whether the same job may succeed later without any change by the caller.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False
    longest_pause: ClassVar[float] = 600.0  # seconds until it is tried again

    def __init__(self, message: str, **details: Any) -> None:
        self.message = shortened(message)
        super().__init__(self.message)
        self.details = {name: shortened(value) if isinstance(value, str) else value for name, value in details.items()}


class InvalidSceneId(RasterError):
    code = "INVALID_ID_FORMAT"


class SceneNotFound(RasterError):
    code = "SCENE_NOT_FOUND"


class AmbiguousSceneId(RasterError):
    code = "AMBIGUOUS_SCENE_ID"


class SameSceneTwice(RasterError):
    code = "SAME_SCENE_TWICE"


class BandNotFound(RasterError):
    code = "BAND_NOT_FOUND"


class OffsetUnknown(RasterError):
    code = "OFFSET_UNKNOWN"


class AoiOutsideScene(RasterError):
    code = "AOI_OUTSIDE_SCENE"


class ScenesDoNotOverlap(RasterError):
    code = "SCENES_DO_NOT_OVERLAP"


class NoValidPixels(RasterError):
    code = "NO_VALID_PIXELS"


class SceneTooLarge(RasterError):
    code = "SCENE_TOO_LARGE"


class SceneUnreadable(RasterError):
    code = "SCENE_UNREADABLE"


class ProviderUnavailable(RasterError):
    code = "PROVIDER_UNAVAILABLE"
    retryable = True

    @classmethod
    def at(cls, host: str, fault: str, retry_after: float = 0.0) -> Self:
        """`fault` ends a sentence that begins with the host. `retry_after` is the pause in seconds that it asks for."""
        details = {"retry_after": retry_after} if retry_after else {}
        return cls(f"The host {host} {fault}. Try again later.", host=host, **details)


class LocalCopyNotWritten(RasterError):
    """A remote file could not be copied to this machine's disk, as if the disk is full."""

    code = "STORAGE_UNAVAILABLE"
    retryable = True


class ResultNotWritten(RasterError):
    """The result could not be written whole, as if the disk is full."""

    code = "STORAGE_UNAVAILABLE"
    retryable = True


class Stopped(Exception):
    """Raised by a `tick` to end the work early: the job was cancelled or belongs to another worker now."""
