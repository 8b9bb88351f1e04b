"""Markdown to HTML: sections of prose, each with its code beside it; anchors; links between the pages."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from .code_blocks import CodeWriter

# From the target of a link, as the source has it, to what the page has.
Resolve = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading of the second level and what follows it. `code` is empty if it stands in the prose."""

    prose: SafeString
    code: SafeString


def sections(text: str, resolve: Resolve, *, code_aside: bool = True) -> list[Section]:
    """The text without its title. HTML in it is shown as text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    _name_headings(tokens)
    _align_by_class(tokens)
    _resolve_links(tokens, resolve)
    renderer = _Renderer(parser)
    return [_section(part, renderer, parser, code_aside=code_aside) for part in _split(_without_title(tokens))]


def inline(text: str, resolve: Resolve) -> SafeString:
    """One line of Markdown, for a cell of a table."""
    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parseInline(text)
    _resolve_links(tokens, resolve)
    return mark_safe(RendererHTML(parser).render(tokens, parser.options, {}))  # noqa: S308  # the parser escapes all HTML


def part_of(text: str, title: str) -> str:
    """What stands below one heading of the second level."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def anchor(title: str) -> str:
    """The id of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class _Renderer(RendererHTML):
    """The HTML of one page. Each method is that of a kind of token."""

    def __init__(self, parser: MarkdownIt) -> None:
        super().__init__(parser)
        self.writer = CodeWriter()

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.writer.html([tokens[idx]])

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table" tabindex="0"><table>'  # what scrolls has to be reached by keys

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"


def _section(part: Sequence[Token], renderer: _Renderer, parser: MarkdownIt, *, code_aside: bool) -> Section:
    aside = [token for token in part if token.type == "fence" and token.level == 0] if code_aside else []
    html = renderer.render([token for token in part if token not in aside], parser.options, {})
    code = renderer.writer.html(aside) if aside else SafeString()
    return Section(prose=mark_safe(html), code=code)  # noqa: S308  # the parser escapes all HTML


def _split(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2" and part:
            yield part
            part = []
        part.append(token)
    if part:
        yield part


def _without_title(tokens: list[Token]) -> list[Token]:
    has_title = bool(tokens) and tokens[0].tag == "h1"
    return tokens[3:] if has_title else tokens


def _name_headings(tokens: Sequence[Token]) -> None:
    for heading, content in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", anchor(_plain(content)))


def _align_by_class(tokens: Sequence[Token]) -> None:
    """Cells of columns that are aligned to the right have a style inside, which the content policy refuses."""
    for cell in tokens:
        if style := cell.attrs.pop("style", None):
            cell.attrSet("class", str(style).rpartition(":")[2])


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])


def _resolve_links(tokens: Sequence[Token], resolve: Resolve) -> None:
    for child in (child for token in tokens for child in token.children or []):
        for name in ("href", "src"):
            if target := child.attrGet(name):
                child.attrSet(name, resolve(str(target)))
