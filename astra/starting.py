"""What every entry point does first: wrong settings end it with one sentence and status 2, odd ones are named."""

import os
import sys
from difflib import get_close_matches

from django.core.exceptions import ImproperlyConfigured

_STATUS = 2
_STATUS_OF_A_WORKER = 3  # gunicorn starts a worker again and again unless it ends with this
# manage.py sets this, for the processes of `up` and for Django's own server.
BY_MANAGE = "ASTRA_STARTED_BY_MANAGE"
# Read by the client and by ourselves, not by the settings.
_OTHERS = ("ASTRA_API_KEY", "ASTRA_API_URL", "ASTRA_ROLE", BY_MANAGE)
_NOTHING_SET = (
    "With nothing set, `python manage.py up` runs the whole service on this machine. To run its processes one by one, "
    "set DATABASE_URL, REDIS_URL, SECRET_KEY and ALLOWED_HOSTS."
)


def load_settings() -> None:
    """Ends the process if they are wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")
    from django.conf import settings

    try:
        settings.DEBUG  # noqa: B018  # the first look reads them all
    except ImproperlyConfigured as error:
        end(str(error))


def start_process() -> None:
    """For processes of the Procfile. As `load_settings`; and they need a production, unless manage.py started them."""
    load_settings()
    from django.conf import settings

    if BY_MANAGE in os.environ:
        return
    if settings.EMBEDDED:
        end(_NOTHING_SET)
    for sentence in oddities():
        print(sentence, file=sys.stderr)


def end(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(_STATUS_OF_A_WORKER if "gunicorn.workers" in sys.modules else _STATUS)


def oddities() -> list[str]:
    """What the operator has probably not meant, in sentences."""
    found = [_unknown(name) for name in sorted(os.environ) if name.startswith("ASTRA_") and name not in _known()]
    if os.geteuid() == 0:
        found.append("ASTRA runs as root. Give it a user of its own; ASTRA_REFUSE_ROOT=1 has it refuse to start.")
    return found


def _known() -> set[str]:
    from .environment import names_read

    return names_read() | set(_OTHERS)


def _unknown(name: str) -> str:
    nearest = get_close_matches(name, sorted(_known() - {"ASTRA_ROLE", BY_MANAGE}), n=1, cutoff=0.75)
    return f"{name} is no setting of ASTRA{f'; the nearest is {nearest[0]}' if nearest else ''}."
