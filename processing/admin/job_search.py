"""Finding jobs by what somebody has at hand. Each way is an exact match or a beginning, on an indexed column."""

from django.conf import settings
from django.db.models import Q

from accounts.models import ApiKey

from ..models.status import Status

HELP = "Job or scene id (or its beginning), request id, the last four characters of a key, or an error code"
_KEY_CHARACTERS = 4
_LEAST_OF_A_SCENE = 5  # characters; shorter beginnings fit half of all scenes


def matches(text: str) -> Q:
    if text.startswith("job_"):
        return Q(pk=text) | Q(pk__startswith=text)
    found = Q(request_id=text) | Q(status=Status.FAILED, error_code=text.upper())
    if len(text) == _KEY_CHARACTERS:
        found |= Q(api_key__in=list(ApiKey.objects.filter(last_four=text).values_list("pk", flat=True)))
    if len(text) >= _LEAST_OF_A_SCENE:
        for beginning in _scene_beginnings(text):
            found |= Q(first_scene__startswith=beginning) | Q(second_scene__startswith=beginning)
    return found


def _scene_beginnings(text: str) -> list[str]:
    """An id may be given without its provider."""
    return [text] if ":" in text else [f"{provider}:{text}" for provider in settings.STAC_ROOTS]
