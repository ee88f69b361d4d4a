"""The body inside a native event, and what must not be kept of the event."""

import base64
import binascii
import codecs
from collections.abc import Callable, Mapping
from typing import Final

from shared.domain.redaction import redacted
from shared.domain.values import Json
from shared.operations.encodings import form_of, inflate, inflate_base64, is_compressed
from shared.operations.streams import text_of_bytes
from shared.operations.targets import without_secrets
from shared.operations.withheld import withhold_from_stream
from shared.sources.decoding import begins_like_json, parsed
from shared.sources.record import Record
from shared.sources.salvage import salvage

__all__ = ["Body", "body_of", "strip_url"]


Body = tuple[Json, Json]
"""The parsed body, or its text when it is no JSON, its bytes when it is no text, or None when it is not here;
and what the content of the interaction shows of it."""


_FORM: Final = ("LS", "DQ", "Cg")
"""How base64 begins that stands for two dashes, with or without a line end before them."""
_ABSENT: Final = (None, None)


def body_of(record: Record, withhold: Callable[[Json], bool]) -> Body:
    """Return the event's body less what `withhold` removes; the record's event follows suit.

    A body that came in parts or by claim check is not here.
    """
    event = record.event
    if event.get("bodyPart") is not None or event.get("bodyRef") is not None:
        return _ABSENT
    body = event.get("body")
    if not isinstance(body, dict):
        return _undecoded(record, withhold)
    if withhold(body):
        event.pop("bodyBase64", None)
        record.received = None
    return body, body


def _undecoded(record: Record, withhold: Callable[[Json], bool]) -> Body:
    """Return a body that is no JSON object in the event."""
    event = record.event
    _inflate(record)
    form = _form_in(event)
    if form is not None:
        withhold(form)
        event["body"] = form
        event.pop("bodyBase64", None)
        record.received = None
        return form, form
    body = event.get("body")
    encoded = event.get("bodyBase64")
    withheld = False
    if body is None and isinstance(encoded, str):
        body = _text_of(encoded, cut=record.cut)
        if isinstance(body, bytes) and (stream := text_of_bytes(body)) is not None:
            body, withheld = stream, True
        if not isinstance(body, str):
            return body, {"bodyBase64": _without_secrets(record, encoded, body)}
    if isinstance(body, str):
        received, body = body, parsed(body)
        if record.cut and body is received and begins_like_json(body):
            body = salvage(body)[0] or body
        if isinstance(body, str):
            body = withhold_from_stream(body)
        withheld = withheld or (body is not received and isinstance(body, str))
    if withhold(body) or withheld:
        event["body"] = body
        event.pop("bodyBase64", None)
        record.received = None
    return body, body


def _without_secrets(record: Record, encoded: str, body: bytes | None) -> str:
    """Return bytes in base64 less what looks like a secret in them: a stream may begin with half an event."""
    clean = body and redacted(body)
    if clean is None or clean is body:
        return encoded
    record.event["bodyBase64"] = kept = base64.b64encode(clean).decode()
    record.received = None
    return kept


def _inflate(record: Record) -> None:
    """Put the body in place of its compressed bytes: then it is read, and kept, as if it had come so."""
    event = record.event
    body, encoded = event.get("body"), event.get("bodyBase64")
    plain = None
    if isinstance(body, str):
        plain = inflate(body)
    elif body is None and isinstance(encoded, str):
        plain = inflate_base64(encoded)
    if plain is not None:
        event["body"] = plain
        event.pop("bodyBase64", None)
        record.received = None


def strip_url(record: Record, member: str) -> None:
    """Take keys and tokens out of the query of the URL in `member`."""
    url = record.event.get(member)
    if isinstance(url, str):
        stripped = without_secrets(url)
        if stripped != url:
            record.event[member] = stripped
            record.received = None


def _form_in(event: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the fields of a form; the bytes of the files in it are not kept."""
    body, encoded, content_type = event.get("body"), event.get("bodyBase64"), event.get("contentType")
    if isinstance(body, str):
        return form_of(body, content_type)
    if body is not None or not isinstance(encoded, str) or not encoded.startswith(_FORM):
        return None
    try:
        return form_of(base64.b64decode(encoded[: len(encoded) // 4 * 4]), content_type)
    except (binascii.Error, ValueError):
        return None


def _text_of(encoded: str, *, cut: bool) -> str | bytes | None:
    """Return the text that stands in base64; its bytes where they are none, None where it is no base64."""
    try:
        data = base64.b64decode(encoded[: len(encoded) // 4 * 4] if cut else encoded)
    except (binascii.Error, ValueError):
        return None
    if cut and not is_compressed(data):
        return data.decode(errors="ignore")
    try:
        # A stream may have been logged up to the middle of a character.
        text, _ = codecs.utf_8_decode(data, "strict", False)  # noqa: FBT003
    except ValueError:
        return data
    return text if text or not encoded else data
