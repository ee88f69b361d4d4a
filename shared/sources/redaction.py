"""Bytes that no source could read -> the same bytes without the credentials that we know by name."""

import re
from typing import Final

__all__ = ["redacted"]

_REMOVED: Final = rb"\1[removed]"
_NAMES: Final = rb"(?:app_?subscription_?key|ocp-apim-subscription-key|subscription-key|api[-_]?key|authorization)"
# A JSON member whose value is a text, with its quotes escaped any number of times: JSON may stand in JSON.
_MEMBER: Final = re.compile(rb'(?i)("' + _NAMES + rb'\\*"\s*:\s*\\*")(?!\[removed\])[^"\\]*')
_PARAMETER: Final = re.compile(rb"(?i)([?&]" + _NAMES + rb'=)[^&\s"\\#<>]*')
_HEADER: Final = re.compile(rb"(?im)^(" + _NAMES + rb"[ \t]*:[ \t]*)[^\r\n]+")
_MARKS: Final = re.compile(rb"(?i)key|authorization")
_LONGEST: Final = 4


def redacted(body: bytes) -> bytes:
    """Return `body` less the values of keys and tokens; the same object when there are none.

    UTF-16 is read through; whatever else cannot be told for text is left as it is.
    """
    encoding = _wide_encoding(body)
    if encoding is not None:
        plain = body.decode(encoding, "replace").encode("utf-8", "replace")
        clean = redacted(plain)
        return body if clean is plain else clean.decode("utf-8", "replace").encode(encoding)
    if _MARKS.search(body) is None:
        return body
    clean = body
    for pattern in (_MEMBER, _PARAMETER, _HEADER):
        clean = pattern.sub(_REMOVED, clean)
    return body if clean == body else clean


def _wide_encoding(body: bytes) -> str | None:
    start = body[:_LONGEST]
    if start.startswith(b"\xff\xfe") or start[1::2] == b"\x00\x00":
        return "utf-16-le"
    if start.startswith(b"\xfe\xff") or start[::2] == b"\x00\x00":
        return "utf-16-be"
    return None
