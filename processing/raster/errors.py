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

    @classmethod
    def of_form(cls, text: str) -> Self:
        """For a text that does not have the form of a scene id."""
        return cls(
            f"{_fault_of(text)} A scene id has the form provider:original_id, such as "
            "sentinel-2:S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616."
        )


def _fault_of(text: str) -> str:
    """What keeps `text` from being a scene id, in a sentence."""
    provider, colon, original = text.partition(":")
    if any(character.isspace() for character in text):
        return "This holds a blank or a line break."
    if not colon:
        return "The provider and its colon are missing."
    if provider != provider.lower():
        return f"Providers are written in lower case: {provider.lower()[:40]}."
    if not original:
        return "Nothing follows the colon."
    return "This has characters that no scene id has, or is too short or too long."


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


class SceneReplaced(SceneUnreadable):
    """A file of the scene is not the one any more whose first part was read."""

    retryable = True


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
