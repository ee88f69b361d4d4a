"""Chunks that differ from one before in their text only, told without parsing them.

Nearly all chunks of a stream are such: a service writes the same object around every few letters.
"""

from typing import Final

import orjson

__all__ = ["Template"]

_CHAT_TEXT: Final = '"delta":{"content":"'
_TEXT: Final = '"text":"'
_PADDING: Final = ',"obfuscation":"'


class Template:
    """The chunk around a text, as the service wrote it."""

    __slots__ = ("_after", "_before", "_length", "pieces")

    def __init__(self, before: str, after: str, pieces: list[str]) -> None:
        """Keep what stands before and after the text, and where texts go."""
        self._before = before
        self._after = after
        self._length = len(before) + len(after)
        self.pieces = pieces
        """The texts of the choice that these chunks belong to."""

    @classmethod
    def of(cls, data: str, text: str, pieces: list[str], *, chat: bool) -> "Template | None":
        """Return the template of a chunk, written as `data`, that says nothing but `text`; None when unsure."""
        bare = _without_padding(data)
        mark = _CHAT_TEXT if chat else _TEXT
        start = bare.find(mark) + len(mark)
        if start < len(mark) or not bare.startswith(f'{text}"', start) or bare.find(mark, start) >= 0:
            return None
        return cls(bare[:start], bare[start + len(text) :], pieces)

    def text_in(self, data: str) -> str | None:
        """Return the text of `data`, when that is all that it says and the template doesn't."""
        bare = data
        if not data.endswith(self._after):
            bare = _without_padding(data)
            if not bare.endswith(self._after):
                return None
        if len(bare) < self._length or not bare.startswith(self._before):
            return None
        text = bare[len(self._before) : len(bare) - len(self._after)]
        if "\\" not in text and '"' not in text:
            return text
        try:
            told = orjson.loads(f'"{text}"')
        except orjson.JSONDecodeError:
            return None
        return told if isinstance(told, str) else None


def _without_padding(data: str) -> str:
    """Return `data` less the member with random letters that hides the text's length."""
    start = data.rfind(_PADDING)
    if start < 0:
        return data
    end = data.find('"', start + len(_PADDING))
    return data[:start] + data[end + 1 :] if data[start + len(_PADDING) : end].isalnum() else data
