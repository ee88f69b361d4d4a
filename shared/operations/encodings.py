"""Bodies that are no JSON -> what they are, and what can be read of them: compressed ones, forms, pages, bytes."""

import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

import orjson

from shared.domain.redaction import redacted_text
from shared.domain.values import Json

__all__ = [
    "BINARY",
    "COMPRESSED",
    "STREAM",
    "TEXT",
    "form_of",
    "inflate",
    "inflate_base64",
    "is_compressed",
    "kind_of",
]

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
_EVENT: Final = re.compile(r"\ufeff?\s*+(?:data|event):")
_LOOKED_AT: Final = 1024
_FEW: Final = 3
_ODD: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
"""What texts do not hold: control characters, and U+FFFD where bytes were no UTF-8."""
_MOST_ODD: Final = 10
"""One in so many characters is no text."""
_PORTABLE: Final = "%PDF-"

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

_TYPE: Final = "multipart/form-data"
_OPENING: Final = re.compile(rb"\s*(--[^\r\n]{1,200}?)[ \t]*\r?\n")
_PARAMETER: Final = re.compile(r""";\s*([a-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))""", re.IGNORECASE)
_ESCAPED: Final = re.compile(r'\\(["\\])')
_PARTS: Final = 256
"""More fields than any operation has."""
_JSON_LENGTH: Final = 65_536
_JSON_DEPTH: Final = 64


def kind_of(body: Json, operation: str | None, content_type: Json = None) -> str | None:
    """Return what a body is that is no JSON and not what the operation knows; None when it may be what it knows.

    Args:
        body: a text that is no JSON, or bytes that are no text.
        operation: as the source tells it.
        content_type: of the body, where it is known.
    """
    if not body or not isinstance(body, str | bytes) or operation in _FILES:
        return None
    declared = content_type.strip().lower() if isinstance(content_type, str) else ""
    if is_compressed(body):
        return COMPRESSED
    is_event = isinstance(body, str) and _EVENT.match(body) is not None
    if isinstance(body, bytes) or (not is_event and _is_binary(body)):
        # Of an unknown operation nobody knows that it answers no sound.
        return BINARY if operation is not None or declared.startswith(_TEXT_TYPES) else None
    if not is_event and (_MARKUP.match(body) or declared.startswith(_PAGES)):
        return _PAGE
    if operation not in _TEXTS or not body.strip() or body.lstrip("\ufeff \t\r\n")[:1] in "{[":
        return None
    return STREAM if is_event else TEXT


def _is_binary(text: str) -> bool:
    start = text[:_LOOKED_AT]
    odd = len(_ODD.findall(start))
    return start.startswith(_PORTABLE) or (odd > _FEW and odd * _MOST_ODD > len(start))


def is_compressed(body: Json) -> bool:
    """Return whether a body, or a text that a log made of its bytes, begins as compressed ones do."""
    if isinstance(body, bytes):
        return _MAGIC.match(body) is not None
    return isinstance(body, str) and (_MAGIC_AS_TEXT.match(body) is not None or _BASE64.match(body[:64]) is not None)


def inflate(body: str) -> str | None:
    """Return the text that was compressed, less its secrets, when all of it is there and not too much; else None.

    Args:
        body: what a log made of the bytes, byte by byte or in base64. Where it put U+FFFD for what is
            no UTF-8, they are lost.
    """
    if not is_compressed(body):
        return None
    if _BASE64.fullmatch(body) is not None:
        return inflate_base64(body)
    try:
        return _inflate(body.translate(_WINDOWS).encode("latin-1"))
    except UnicodeEncodeError:
        return None


def inflate_base64(encoded: str) -> str | None:
    """Return the text whose compressed bytes stand in base64, as `inflate` does."""
    try:
        if not is_compressed(b64decode(encoded[:_BASE64_START])):
            return None
        return _inflate(b64decode(encoded))
    except ValueError:
        return None


def _inflate(body: bytes) -> str | None:
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
        decompressor = reader.decompressobj()
        plain = decompressor.decompress(body)
    except zstandard.ZstdError:
        return None
    return plain if decompressor.eof and not decompressor.unused_data else None


class _Part(NamedTuple):
    name: str
    filename: str | None
    content_type: str | None
    content: bytes
    is_complete: bool


def form_of(body: bytes | str, content_type: Json = None) -> dict[str, Json] | None:
    """Return the fields of a form, complete or cut anywhere; None when `body` is no form.

    A field that comes more than once, or whose name ends in `[]`, is a list; one that holds a JSON
    object is that object. A file is `{filename, contentType, size}`, without `size` when it was cut.

    Args:
        body: as it was sent; the boundary is read from its first line.
        content_type: of the body, where it is known. Without it, what looks like a form is one.
    """
    declared = isinstance(content_type, str) and content_type.lstrip().lower().startswith(_TYPE)
    if not declared and body.lstrip()[:2] not in {b"--", "--"}:
        return None
    data = body.encode("utf-8", "replace") if isinstance(body, str) else body
    opening = _OPENING.match(data)
    parts = list(_parts(data[opening.end() :], opening[1])) if opening else []
    if not parts:
        return {} if declared else None
    form: dict[str, Json] = {}
    for part in parts:
        name, value = part.name.removesuffix("[]"), _value(part)
        if name in form:
            held = form[name]
            form[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            form[name] = [value] if name != part.name else value
    return form


def _parts(data: bytes, boundary: bytes) -> Iterator[_Part]:
    sections = data.split(b"\n" + boundary, _PARTS)
    for number, section in enumerate(sections):
        if number and not section.startswith((b"\r\n", b"\n")):
            return
        text = section.removeprefix(b"\r").removeprefix(b"\n") if number else section
        part = _part(text, is_complete=number + 1 < len(sections))
        if part is not None:
            yield part


def _part(section: bytes, *, is_complete: bool) -> _Part | None:
    head, mark, content = section.partition(b"\r\n\r\n")
    if not mark:
        head, mark, content = section.partition(b"\n\n")
    if not mark:
        return None
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        header, _, value = line.partition(":")
        headers[header.strip().lower()] = value.strip()
    parameters = {
        match[1].lower(): match[3] if match[2] is None else _ESCAPED.sub(r"\1", match[2])
        for match in _PARAMETER.finditer(headers.get("content-disposition", ""))
    }
    name = parameters.get("name")
    if not name:
        return None
    content = content.removesuffix(b"\r") if is_complete else content
    filename = parameters.get("filename")
    if filename is None and "filename*" in parameters:
        filename = unquote(parameters["filename*"].rpartition("'")[2])
    return _Part(name, filename, headers.get("content-type"), content, is_complete)


def _value(part: _Part) -> Json:
    if part.filename is None:
        try:
            return _field(part.content.decode("utf-8", "strict" if part.is_complete else "ignore"))
        except UnicodeDecodeError:
            pass
    file: dict[str, Json] = {"filename": part.filename, "contentType": part.content_type}
    if part.is_complete:
        file["size"] = len(part.content)
    return {name: value for name, value in file.items() if value is not None}


def _field(text: str) -> Json:
    if text.lstrip().startswith("{") and len(text) <= _JSON_LENGTH and text.count("{") + text.count("[") <= _JSON_DEPTH:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text
