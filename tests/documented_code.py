"""The code of a served page of documentation, and running it as its reader would."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests

KEY = "astra_sk_test_your_key_here"
RECEIVER = "https://you.example/hooks/astra"
LANGUAGES = ("bash", "python", "javascript")
_COMMANDS = {
    "bash": ["bash", "-euo", "pipefail"],
    "python": [sys.executable, "-"],
    "javascript": ["node", "--input-type=module"],
}
_END_OF_BLOCK = "--- end of block ---"


@dataclass(frozen=True, kw_only=True)
class Block:
    language: str
    role: str
    code: str


class _Blocks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Block] = []
        self._open: Mapping[str, str | None] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._open, self._text = dict(attrs), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._open is not None:
            language, role = self._open.get("data-language") or "", self._open.get("data-role") or ""
            self.found.append(Block(language=language, role=role, code=self._text))
            self._open = None


def blocks_of(html: str) -> list[Block]:
    """All code of a page, in its order."""
    parser = _Blocks()
    parser.feed(html)
    return parser.found


def served_blocks(url: str) -> list[Block]:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    return blocks_of(answer.text)


def programs(blocks: Sequence[Block], language: str, values: Mapping[str, str]) -> list[str]:
    """The blocks that are run one after the other in this language, with the reader's own values filled in."""
    codes = [block.code for block in blocks if block.language == language and block.role == "run"]
    return [filled_in(code, values) for code in codes]


def filled_in(code: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        code = code.replace(placeholder, value)
    return code


def run(language: str, codes: Sequence[str], folder: Path) -> str:
    """Run the code as one session and return what it prints. Fails the test if it fails."""
    done = subprocess.run(
        _COMMANDS[language],
        input="\n".join(codes),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_shell(blocks: Sequence[Block], values: Mapping[str, str], folder: Path) -> list[tuple[str, str]]:
    """Run all shell code as one session, in which curl fails on refusals that the page does not show.

    Returns what each block prints, and the answer that the page shows below it.
    """
    (folder / "strict").mkdir()
    (folder / "strict" / ".curlrc").write_text("fail-with-body\n")
    (folder / "lenient").mkdir()
    numbers = [number for number, block in enumerate(blocks) if (block.language, block.role) == ("bash", "run")]
    shown = [_answer_below(blocks, number) for number in numbers]
    session = [
        f"export CURL_HOME='{folder / _curl_home(blocks[number].code, answer)}'\n"
        f"{filled_in(blocks[number].code, values)}\necho; echo '{_END_OF_BLOCK}'"
        for number, answer in zip(numbers, shown, strict=True)
    ]
    printed = run("bash", session, folder).split(f"\n{_END_OF_BLOCK}\n")
    return list(zip(printed, shown, strict=False))


def _answer_below(blocks: Sequence[Block], number: int) -> str:
    """The answer shown after the group of a shell block; empty if there is none."""
    for block in blocks[number + 1 :]:
        if block.role == "output":
            return block.code
        if block.language == "bash":
            break
    return ""


def _curl_home(code: str, answer: str) -> str:
    return "lenient" if re.search(r"# 4\d\d", code) or '"error"' in answer else "strict"


def missing(shown: Any, real: Any, place: str = "answer") -> list[str]:
    """What a shown answer has and the real one lacks, by name."""
    if isinstance(shown, dict):
        if not isinstance(real, dict):
            return [place]
        return [
            fault
            for name, value in shown.items()
            for fault in (missing(value, real[name], f"{place}.{name}") if name in real else [f"{place}.{name}"])
        ]
    if isinstance(shown, list) and shown:
        return missing(shown[0], real[0], f"{place}[0]") if isinstance(real, list) and real else [place]
    return []


def answer_faults(printed: str, shown: str) -> list[str]:
    return missing(json.loads(shown), json.loads(printed)) if shown else []
