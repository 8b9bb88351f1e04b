"""Typed readers of the environment. Nonsense raises ImproperlyConfigured with a sentence that names the variable."""

import logging
import os
import re
import secrets
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")

_names: set[str] = set()


def names_read() -> set[str]:
    """The variables that have been asked for."""
    return set(_names)


def text(name: str, default: str = "") -> str:
    _names.add(name)
    return os.environ.get(name, "").strip() or default


def matching(name: str, form: str, meaning: str, default: str = "") -> str:
    """The text, which must have the form, a regular expression, if it is set."""
    value = text(name)
    if value and not re.fullmatch(form, value):
        raise ImproperlyConfigured(f"{name} must be {meaning}, not {value!r}.")
    return value or default


def secret(name: str, least_length: int, *, is_required: bool = False) -> str:
    """A secret that nobody can guess. It is never shown."""
    value = text(name)
    if (value or is_required) and len(value) < least_length:
        raise ImproperlyConfigured(
            f"{name} must be a secret of {least_length} characters or more; it has {len(value)}."
        )
    return value


def credential(name: str) -> str:
    """What another service gave us, or gets from us in a header. It is never shown."""
    value = text(name)
    if not all("!" <= character <= "~" for character in value):
        raise ImproperlyConfigured(f"{name} must be one word of printable ASCII characters.")
    return value


def domains(name: str, default: list[str], *, is_required: bool = False) -> list[str]:
    """Host names without a scheme and port, separated by commas; `.example.com` also means all below it, `*` any."""
    values = listing(name)
    if is_required and not values:
        raise ImproperlyConfigured(f"{name} must name the hosts that callers use, once DATABASE_URL is set.")
    for value in values:
        if not re.fullmatch(r"\*|\[[0-9A-Fa-f:.]+\]|\.?[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?", value):
            raise ImproperlyConfigured(
                f"{name} must hold names such as astra.example, without scheme, port and path, not {value!r}."
            )
    return values or default


def origin(name: str) -> str:
    """Scheme, host and port of a URL."""
    value = text(name).rstrip("/")
    if value and not is_origin(value):
        raise ImproperlyConfigured(
            f"{name} must be a scheme and a host, such as https://astra.example, without a path, not {value!r}."
        )
    return value


def origins(name: str) -> list[str]:
    """Origins, separated by commas. None for `*`, which means any."""
    values = [value for value in listing(name) if value != "*"]
    for value in values:
        if not is_origin(value):
            raise ImproperlyConfigured(f"{name} must hold origins such as https://app.example, or *, not {value!r}.")
    return values


def is_origin(value: str) -> bool:
    return is_url(value, "http", "https") and re.fullmatch(r"https?://[^/?#@\s]+", value) is not None


def number(name: str, default: float, least: float, most: float) -> float:
    raw = text(name)
    try:
        value = float(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {raw!r}.") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must lie between {least:g} and {most:g}, not {raw}.")
    return value


def whole_number(name: str, default: int, least: int, most: int) -> int:
    value = number(name, default, least, most)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value:g}.")
    return int(value)


def numbers(name: str, default: str, least: float, most: float) -> list[float]:
    """Numbers, separated by commas."""
    try:
        values = [float(part) for part in text(name, default).split(",")]
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be numbers separated by commas, not {text(name)!r}.") from None
    if not all(least <= value <= most for value in values):
        raise ImproperlyConfigured(f"Every number of {name} must lie between {least:g} and {most:g}.")
    return values


def flag(name: str, default: bool) -> bool:
    raw = text(name).lower()
    meanings = {"": default, "1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
    if raw not in meanings:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}.")
    return meanings[raw]


def listing(name: str) -> list[str]:
    return [part for part in (part.strip() for part in text(name).split(",")) if part]


def http_url(name: str, default: str = "") -> str:
    value = text(name, default).rstrip("/")
    if value and not is_url(value, "http", "https"):
        raise ImproperlyConfigured(f"{name} must be a URL such as https://example.com, not {value!r}.")
    return value


def tile_url(name: str) -> str:
    """The URL of map tiles, with {z}, {x} and {y} in it."""
    value = text(name)
    if value and not (is_url(value, "http", "https") and all(part in value for part in ("{z}", "{x}", "{y}"))):
        example = "https://tiles.example/{z}/{x}/{y}.png"
        raise ImproperlyConfigured(f"{name} must be the URL of tiles such as {example}, not {value!r}.")
    return value


def package_folder(name: str) -> Path:
    """The folder of an installed package, found without importing it."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ImproperlyConfigured(f"The package {name} is not installed: pip install -r requirements.txt.")
    return Path(found.origin).parent


def http_urls(name: str) -> tuple[str, ...]:
    """URLs, separated by commas."""
    values = [value.rstrip("/") for value in listing(name)]
    for value in values:
        if not is_url(value, "http", "https"):
            raise ImproperlyConfigured(f"{name} must hold URLs such as https://example.com, not {value!r}.")
    return tuple(values)


def is_url(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        is_host = re.fullmatch(r"[0-9A-Za-z._:-]+", parts.hostname or "") is not None
        return parts.scheme in schemes and is_host and parts.port != 0
    except ValueError:
        return False


def host_or_url(name: str) -> str:
    """A host, or host:port, that is asked by https, or a URL."""
    value = text(name)
    if value and not is_url(value if "://" in value else f"https://{value}", "http", "https"):
        raise ImproperlyConfigured(f"{name} must be a host or a URL such as https://example.com, not {value!r}.")
    return value


def redis_url(name: str, default: str) -> str:
    value = text(name, default)
    if not is_url(value, "redis", "rediss") or not re.fullmatch(r"/?\d*", urlsplit(value).path):
        raise ImproperlyConfigured(f"{name} must have the form redis://host:6379/0.")
    return value


def hosts(name: str) -> frozenset[str]:
    """host or host:port, separated by commas."""
    values = listing(name)
    for value in values:
        if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.:_-]+?)(:\d{1,5})?", value):
            raise ImproperlyConfigured(f"{name} must hold host or host:port, not {value!r}.")
    return frozenset(values)


def regions(name: str) -> dict[str, str]:
    """bucket=region, separated by commas."""
    values = listing(name)
    for value in values:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]=[a-z0-9-]{1,32}", value):
            raise ImproperlyConfigured(f"{name} must hold bucket=region, separated by commas, not {value!r}.")
    return dict(value.split("=") for value in values)


def one_of(name: str, *choices: str) -> str:
    """The first is the default."""
    value = text(name, choices[0]).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def log_level(name: str) -> str:
    value = text(name, "INFO").upper()
    if value not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"{name} must be one of DEBUG, INFO, WARNING, ERROR, not {value!r}.")
    return value


def parsed(name: str, read: Callable[[str], Value]) -> Value:
    """What `read` makes of the text. Its ValueError goes on where the variable's name ends."""
    try:
        return read(text(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}.") from None


def folder(name: str, default: Path) -> Path:
    """The folder, which is made if it is missing, and readable by this user only."""
    try:
        path = Path(text(name, str(default))).resolve()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}: this folder cannot be made or reached ({error}).") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name}: the folder {path} cannot be written to.")
    return path


def refuse_root(*, asked: bool) -> None:
    if asked and os.geteuid() == 0:
        raise ImproperlyConfigured("ASTRA_REFUSE_ROOT is set, and this process runs as root. Start it as another user.")


def generated_secret(path: Path) -> str:
    """A secret that is made once and kept in a file that only this user can read."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text().strip()
