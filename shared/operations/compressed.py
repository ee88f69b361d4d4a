"""Compressed bodies, as bytes or as what a log made of them -> the body as it was sent."""

import re
import zlib
from base64 import b64decode
from typing import Final

from shared.domain.redaction import redacted_text
from shared.domain.values import Json

__all__ = ["inflated", "inflated_base64", "is_compressed"]

_MOST: Final = 1_048_576
_RATIO: Final = 6
"""JSON is a half to a fifth when it is compressed. What is less costs more time to read than its size is worth."""
_LEAST: Final = 1024

_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_MAGIC: Final = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]")
"""How gzip, Zstandard and zlib (`deflate`) begin. Brotli begins like anything."""
_MAGIC_AS_TEXT: Final = re.compile(
    "\x1f[\ufffd\x8b\u2039]\x08|\\([\ufffd\xb5]/[\ufffd\xfd]|"
    # zlib has a letter there, and needs a second sign.
    "x[\x01\ufffd\x9c\xda\u0153](?=.{0,30}[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd])",
    re.DOTALL,
)
_BASE64: Final = re.compile(r"(?:H4sI|KLUv/Q)[A-Za-z0-9+/]{12,}+={0,2}\s*")
"""How base64 of gzip and Zstandard begins."""
_BASE64_START: Final = 8
_WINDOWS: Final = {
    ord(letter): byte for byte in range(0x80, 0xA0) if (letter := bytes([byte]).decode("cp1252", "ignore"))
}
"""The characters for which Windows has bytes that are none in Latin-1."""


def is_compressed(body: Json) -> bool:
    """Return whether a body, or a text that a log made of its bytes, begins as compressed ones do."""
    if isinstance(body, bytes):
        return _MAGIC.match(body) is not None
    return isinstance(body, str) and (_MAGIC_AS_TEXT.match(body) is not None or _BASE64.match(body[:64]) is not None)


def inflated(body: str) -> str | None:
    """Return the text that was compressed, less its secrets, when all of it is there and not too much; else None.

    Args:
        body: what a log made of the bytes, byte by byte or in base64. Where it put U+FFFD for what is
            no UTF-8, they are lost.
    """
    if not is_compressed(body):
        return None
    if _BASE64.fullmatch(body) is not None:
        return inflated_base64(body)
    try:
        return _inflated(body.translate(_WINDOWS).encode("latin-1"))
    except UnicodeEncodeError:
        return None


def inflated_base64(encoded: str) -> str | None:
    """Return the text whose compressed bytes stand in base64, as `inflated` does."""
    try:
        if not is_compressed(b64decode(encoded[:_BASE64_START])):
            return None
        return _inflated(b64decode(encoded))
    except ValueError:
        return None


def _inflated(body: bytes) -> str | None:
    if not is_compressed(body):
        return None
    most = min(max(_RATIO * len(body), _LEAST), _MOST)
    plain = _of_zstandard(body, most) if body.startswith(_ZSTANDARD) else _of_zlib(body, most)
    try:
        return None if plain is None else redacted_text(plain.decode())
    except UnicodeDecodeError:
        return None


def _of_zlib(body: bytes, most: int) -> bytes | None:
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = reader.decompress(body, most)
    except zlib.error:
        return None
    return plain if reader.eof and not reader.unused_data else None


def _of_zstandard(body: bytes, most: int) -> bytes | None:
    # Imported here: few events need it.
    import zstandard  # noqa: PLC0415

    reader = zstandard.ZstdDecompressor(max_window_size=8 * _MOST)
    try:
        with reader.stream_reader(body) as stream:
            if len(stream.read(most + 1)) > most:
                return None
        whole = reader.decompressobj()
        plain = whole.decompress(body)
    except zstandard.ZstdError:
        return None
    return plain if whole.eof and not whole.unused_data else None
