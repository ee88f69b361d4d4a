"""Bodies that are not what their operation sends or answers -> what they are."""

import re
from typing import Final

from shared.domain.values import Json
from shared.operations.compressed import is_compressed

__all__ = ["BINARY", "COMPRESSED", "STREAM", "TEXT", "kind_of"]

BINARY: Final = "binary"
STREAM: Final = "stream"
_PAGE: Final = "page"
COMPRESSED: Final = "compressed"
TEXT: Final = "text"

_TEXTS: Final = frozenset(
    {"chat.completions", "completions", "embeddings", "responses", "moderations", "images.generations"}
    | {"images.edits", "images.variations", "threads", "threads.messages", "threads.runs", "threads.runs.steps"}
)
"""Operations that know no text but JSON and event streams."""
_FILES: Final = frozenset({"audio.speech", "containers", "files", "other", "uploads"})
"""Operations that send or answer bytes of any kind."""
_MARKUP: Final = re.compile(
    r"\ufeff?\s*+(?:<!--[^>]{0,1000}>\s*+)?<(?:!doctype|html|head|body|title|meta|script|style|center|h1|div|\?xml)\b",
    re.IGNORECASE,
)
_PAGES: Final = ("text/html", "application/xhtml")
_TEXT_TYPES: Final = ("application/json", "text/")
_LINE: Final = re.compile(r"\ufeff?\s*+(?:data|event):")
_LOOKED_AT: Final = 1024
_FEW: Final = 3
_ODD: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
"""What texts do not hold: control characters, and U+FFFD where bytes were no UTF-8."""
_MOST_ODD: Final = 10
"""One in so many characters is no text."""
_PORTABLE: Final = "%PDF-"


def kind_of(body: Json, operation: str | None, content_type: Json = None) -> str | None:
    """Return what a body is that is no JSON and not what the operation knows; None when it may be what it knows.

    Args:
        body: a text that is no JSON, or bytes that are no text.
        operation: as the source tells it.
        content_type: of the body, where it is known.
    """
    if not body or not isinstance(body, str | bytes) or operation in _FILES:
        return None
    told = content_type.strip().lower() if isinstance(content_type, str) else ""
    if is_compressed(body):
        return COMPRESSED
    is_event = isinstance(body, str) and _LINE.match(body) is not None
    if isinstance(body, bytes) or (not is_event and _is_binary(body)):
        # Of an unknown operation nobody knows that it answers no sound.
        return BINARY if operation is not None or told.startswith(_TEXT_TYPES) else None
    if not is_event and (_MARKUP.match(body) or told.startswith(_PAGES)):
        return _PAGE
    if operation not in _TEXTS or not body.strip() or body.lstrip("\ufeff \t\r\n")[:1] in "{[":
        return None
    return STREAM if is_event else TEXT


def _is_binary(text: str) -> bool:
    start = text[:_LOOKED_AT]
    odd = len(_ODD.findall(start))
    return start.startswith(_PORTABLE) or (odd > _FEW and odd * _MOST_ODD > len(start))
