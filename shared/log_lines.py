"""What every log line of the app gets: the request that it is of, and no second line that somebody else wrote."""

import logging
import re
from contextvars import ContextVar
from typing import Final

__all__ = ["REQUEST_ID", "guard_lines", "one_line"]

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""Of the HTTP request that is being answered; threads that take over the context take it over too."""

# Control characters, and what some viewers take for the end of a line.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Return `text` with what could end its line, or turn it around, written as an escape."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class _Guard(logging.Handler):
    """Completes records on their way to the handlers of others, which stand at the root."""

    def emit(self, record: logging.LogRecord) -> None:
        request_id = REQUEST_ID.get()
        line = one_line(record.getMessage())
        record.msg = f"{line} request={request_id}" if request_id else line
        record.args = None


def guard_lines() -> None:
    """Let all lines of the app be guarded from here on; calling it again changes nothing."""
    for name in ("blueprints", "shared"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Guard) for one in logger.handlers):
            logger.addHandler(_Guard())
