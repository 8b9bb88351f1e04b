"""The table of contents: which pages there are, in which order, and from which file each is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from ..raster.operations import all_operations

_TEXTS = Path("docs/pages")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page at /docs/<slug>/. `source` is its Markdown below the project's folder; `part` is one section of that."""

    slug: str
    title: str
    summary: str
    source: Path
    part: str = ""
    template: str = "docs/page.html"
    code_aside: bool = True  # in a column of its own beside the prose
    operation: str = ""

    @property
    def url(self) -> str:
        return reverse("docs-page", args=[self.slug]) if self.slug else reverse("docs")

    @property
    def is_there(self) -> bool:
        """The client is a package of its own, which an installation may leave out."""
        return (settings.BASE_DIR / self.source).exists()

    @property
    def text(self) -> str:
        """Its Markdown; empty if an operation has no text beside its own description."""
        return str((settings.BASE_DIR / self.source).read_text()) if self.is_there else ""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    title: str
    pages: tuple[Page, ...]


def contents() -> tuple[Chapter, ...]:
    return (
        Chapter(title="Start", pages=_START),
        Chapter(title="Jobs", pages=_JOBS),
        Chapter(title="Operations", pages=tuple(_operation_pages())),
        Chapter(title="Look up", pages=tuple(page for page in _LOOK_UP if page.is_there)),
        Chapter(title="Run it yourself", pages=_RUN_IT),
    )


def all_pages() -> tuple[Page, ...]:
    """Those of the contents."""
    return tuple(page for chapter in contents() for page in chapter.pages)


def _operation_pages() -> Iterator[Page]:
    for name, operation in all_operations().items():
        yield Page(
            slug=f"operations/{name}",
            title=operation.title,
            summary=operation.description,
            source=_TEXTS / "operations" / f"{name}.md",
            template="docs/operation.html",
            operation=name,
        )


def _page(slug: str, title: str, summary: str, template: str = "docs/page.html") -> Page:
    name = slug or "getting-started"
    return Page(slug=slug, title=title, summary=summary, source=_TEXTS / f"{name}.md", template=template)


def _file(slug: str, title: str, summary: str, source: str, part: str = "", *, code_aside: bool = False) -> Page:
    return Page(slug=slug, title=title, summary=summary, source=Path(source), part=part, code_aside=code_aside)


_START = (
    _page("", "Getting started", "From a key to a Cloud Optimized GeoTIFF in three requests."),
    _page(
        "authentication",
        "Authentication and limits",
        "How a key is sent, what the plans allow, and what the headers say.",
        "docs/plans.html",
    ),
    _file(
        "tutorial",
        "Tutorial",
        "From nothing to a change map of a field of your own in QGIS, in ten steps.",
        "docs/tutorial.md",
        code_aside=True,
    ),
)
_JOBS = (
    _page("submit", "Submit", "One POST makes a job: its fields, dry runs, waiting, and repeats that do no harm."),
    _page("results", "Poll and results", "How to follow a job, and what the finished one holds."),
    _page("webhooks", "Webhooks", "Be called when a job ends, and check that it is us who call."),
    _page("scenes", "Scene ids", "How scenes are named, and where they come from."),
    _page("test-scenes", "Test scenes", "Scenes that force every outcome of a job, for your own tests."),
)
_LOOK_UP = (
    _file("client", "Client", "The client in Python and the command astra.", "client/README.md"),
    _page(
        "reference", "API reference", "Every address, from the OpenAPI document of this service.", "docs/reference.html"
    ),
    _page("errors", "Errors", "Every code: when it comes, and what to do.", "docs/errors.html"),
    _file(
        "accuracy",
        "How far to trust a result",
        "What was compared with what, and what the maps cannot tell.",
        "docs/accuracy.md",
    ),
    _file("changelog", "Changelog", "What is new for callers and operators.", "CHANGELOG.md"),
)
_RUN_IT = (
    _file("operating", "Operator's guide", "Deploy, scale out, watch, upgrade, back up.", "docs/operations.md"),
    _file("settings", "Settings", "Every variable that the service reads.", "README.md", "Configuration"),
    _file("performance", "Performance", "Time and memory beside other tools.", "docs/performance.md"),
)
