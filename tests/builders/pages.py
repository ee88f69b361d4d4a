"""What a page of the documentation tells its reader to save and to type."""

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Block", "blocks", "commands"]

_BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block."""

    language: str
    file: str | None
    """The file to save it in, when one is named on the line above."""
    text: str


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(one["language"], one["file"], one["text"]) for one in found]


def commands(page: Path) -> list[str]:
    """Return the lines of a page's shell blocks in order."""
    return [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines() if line]
