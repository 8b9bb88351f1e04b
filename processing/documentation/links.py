"""Links between the sources become links between the pages."""

from pathlib import Path
from posixpath import normpath

from django.templatetags.static import static

from .contents import Page, all_pages
from .markdown import anchor

_IMAGES = "docs/images/"


def resolve(page: Page, target: str) -> str:
    """Where a link of the page's source leads on the served page. Raises LookupError if nothing is there."""
    if "://" in target or target.startswith(("#", "/")):
        return target
    path, _, fragment = target.partition("#")
    source = normpath(page.source.parent / path)
    if source.startswith(_IMAGES):
        return static(f"docs/{source.removeprefix(_IMAGES)}")
    for other in all_pages():
        if other.source == Path(source) and (not other.part or fragment == anchor(other.part)):
            return f"{other.url}#{fragment}" if fragment and not other.part else other.url
    raise LookupError(f"{page.source} links to {target}, which is no page.")
