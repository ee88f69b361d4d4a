"""Whether JSON that comes in pieces is whole: each piece is looked at once."""

import re
from typing import Final

__all__ = ["Nesting"]

_INSIDE: Final = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Nesting:
    """Counts the brackets outside strings."""

    def __init__(self) -> None:
        """Begin before the first piece."""
        self._depth = 0
        self._begun = False
        self._in_string = False
        self._escapes = False

    def is_closed_by(self, piece: str) -> bool:
        """Return whether every bracket and string is closed behind the next piece: then JSON is whole, or never is."""
        start = 0
        if self._in_string:
            inside = _INSIDE.match(piece, int(self._escapes))
            start = inside.end() if inside else len(piece)
            self._escapes = piece[start : start + 1] == "\\" or (self._escapes and not piece)
            if piece[start : start + 1] != '"':
                return False
            self._in_string = False
            start += 1
        outside, quote, begun = _STRING.sub("", piece[start:]).partition('"')
        opens, closes = (outside.count(array) + outside.count(item) for array, item in ("[{", "]}"))
        self._depth += opens - closes
        self._begun |= opens + closes > 0
        self._in_string = bool(quote)
        self._escapes = (len(begun) - len(begun.rstrip("\\"))) % 2 == 1
        return self._begun and self._depth <= 0 and not self._in_string
