"""`multipart/form-data` bodies -> their fields as JSON; of files their name, type and size, never the bytes."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

import orjson

from shared.domain.values import Json

__all__ = ["form_of"]

_TYPE: Final = "multipart/form-data"
_OPENING: Final = re.compile(rb"\s*(--[^\r\n]{1,200}?)[ \t]*\r?\n")
_PARAMETER: Final = re.compile(r""";\s*([a-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))""", re.IGNORECASE)
_ESCAPED: Final = re.compile(r'\\(["\\])')
_PARTS: Final = 256
"""More fields than any operation has."""
_JSON_LENGTH: Final = 65_536
_JSON_DEPTH: Final = 64


class _Part(NamedTuple):
    name: str
    filename: str | None
    content_type: str | None
    content: bytes
    is_whole: bool


def form_of(body: bytes | str, content_type: Json = None) -> dict[str, Json] | None:
    """Return the fields of a form, whole or cut anywhere; None when `body` is no form.

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
    pieces = data.split(b"\n" + boundary, _PARTS)
    for number, piece in enumerate(pieces):
        if number and not piece.startswith((b"\r\n", b"\n")):
            return
        text = piece.removeprefix(b"\r").removeprefix(b"\n") if number else piece
        part = _part(text, is_whole=number + 1 < len(pieces))
        if part is not None:
            yield part


def _part(piece: bytes, *, is_whole: bool) -> _Part | None:
    head, mark, content = piece.partition(b"\r\n\r\n")
    if not mark:
        head, mark, content = piece.partition(b"\n\n")
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
    content = content.removesuffix(b"\r") if is_whole else content
    filename = parameters.get("filename")
    if filename is None and "filename*" in parameters:
        filename = unquote(parameters["filename*"].rpartition("'")[2])
    return _Part(name, filename, headers.get("content-type"), content, is_whole)


def _value(part: _Part) -> Json:
    if part.filename is None:
        try:
            return _field(part.content.decode("utf-8", "strict" if part.is_whole else "ignore"))
        except UnicodeDecodeError:
            pass
    file: dict[str, Json] = {"filename": part.filename, "contentType": part.content_type}
    if part.is_whole:
        file["size"] = len(part.content)
    return {name: value for name, value in file.items() if value is not None}


def _field(text: str) -> Json:
    if text.lstrip().startswith("{") and len(text) <= _JSON_LENGTH and text.count("{") + text.count("[") <= _JSON_DEPTH:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text
