"""Code of the pages: one block, or the same in several languages behind tabs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

# What stands in the sources. The view puts this instance's address in place of the host, the reader's script the key.
HOST = "https://astra.example"
KEY = "astra_sk_test_your_key_here"

_LANGUAGES = {"bash": "curl", "python": "Python", "javascript": "JavaScript"}
_NOT_RUN = ("output", "file")
_KEY_MARKED = f'<span class="key">{KEY}</span>'


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fence. After its language may stand what it is: `output`; `file`; `server`, a program that runs until it is
    stopped; or `setup`, which happens once. All else is run by the tests, in the order of the page."""

    language: str
    role: str
    code: str

    @classmethod
    def of(cls, fence: Token) -> "Block":
        """Of code that is only indented nothing is known: it is shown, and not run."""
        language, _, role = (fence.info.strip() or "text file").partition(" ")
        return cls(language=language, role=role, code=fence.content)

    @property
    def is_program(self) -> bool:
        return self.language in _LANGUAGES and self.role not in _NOT_RUN

    @property
    def label(self) -> str:
        return "answer" if self.role == "output" else _LANGUAGES.get(self.language, self.language)

    @property
    def html(self) -> SafeString:
        return mark_safe(str(escape(self.code)).replace(KEY, _KEY_MARKED))  # noqa: S308  # escaped


def grouped(fences: Iterable[Token]) -> list[list[Block]]:
    """Blocks that say the same in different languages, and stand one after the other, are one group."""
    groups: list[list[Block]] = []
    for block in map(Block.of, fences):
        if groups and _continues(groups[-1], block):
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _continues(group: Sequence[Block], block: Block) -> bool:
    known = {each.language for each in group}
    return block.is_program and all(each.is_program for each in group) and block.language not in known


class CodeWriter:
    """The HTML of the code of one page, in which every group of tabs has a name of its own."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def html(self, fences: Iterable[Token]) -> SafeString:
        groups = [{"name": f"code-{next(self._numbers)}", "blocks": blocks} for blocks in grouped(fences)]
        return render_to_string("docs/code.html", {"groups": groups})
