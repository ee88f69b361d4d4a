"""Whether JSON that comes in chunks is complete: each chunk is looked at once."""

import re
from typing import Final

__all__ = ["Nesting"]

_INSIDE: Final = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Nesting:
    """Counts the brackets outside strings."""

    def __init__(self) -> None:
        """Begin before the first chunk."""
        self._depth = 0
        self._is_inside_json = False
        self._in_string = False
        self._escapes = False

    def is_closed_by(self, chunk: str) -> bool:
        """Return whether the next chunk closes all brackets and strings: then JSON is complete, or never is."""
        start = 0
        if self._in_string:
            inside = _INSIDE.match(chunk, int(self._escapes))
            start = inside.end() if inside else len(chunk)
            self._escapes = chunk[start : start + 1] == "\\" or (self._escapes and not chunk)
            if chunk[start : start + 1] != '"':
                return False
            self._in_string = False
            start += 1
        outside, quote, is_open = _STRING.sub("", chunk[start:]).partition('"')
        opens, closes = (outside.count(array) + outside.count(item) for array, item in ("[{", "]}"))
        self._depth += opens - closes
        self._is_inside_json |= opens + closes > 0
        self._in_string = bool(quote)
        self._escapes = (len(is_open) - len(is_open.rstrip("\\"))) % 2 == 1
        return self._is_inside_json and self._depth <= 0 and not self._in_string
