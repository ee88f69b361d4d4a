"""The body inside a native event, and what must not be kept of the event."""

import base64
import binascii
from collections.abc import Callable
from typing import Final, NamedTuple

from shared.domain.values import Json
from shared.operations.paths import without_secrets
from shared.operations.streams import withhold_from_stream
from shared.sources.decoding import parsed
from shared.sources.record import Record

__all__ = ["Body", "body_of", "strip_url"]


class Body(NamedTuple):
    """A request's or response's body."""

    json: Json
    """The parsed body, or its text when it is not JSON; None when it is no text or not here."""
    kept: Json
    """What the content of the interaction shows."""


_ABSENT: Final = Body(None, None)


def body_of(record: Record, withhold: Callable[[Json], bool]) -> Body:
    """Return the event's body less what `withhold` removes; the record's event follows suit.

    A body that came in parts or by claim check is not here.
    """
    event = record.event
    if event.get("bodyPart") is not None or event.get("bodyRef") is not None:
        return _ABSENT
    body = event.get("body")
    encoded = event.get("bodyBase64")
    if body is None and isinstance(encoded, str):
        body = _text_of(encoded)
        if body is None:
            return Body(None, {"bodyBase64": encoded})
    if isinstance(body, str):
        received, body = body, parsed(body)
        if isinstance(body, str):
            body = withhold_from_stream(body)
        withheld = body is not received and isinstance(body, str)
    else:
        withheld = False
    if withhold(body) or withheld:
        event["body"] = body
        event.pop("bodyBase64", None)
        record.received = None
    return Body(body, body)


def strip_url(record: Record, member: str) -> None:
    """Take keys and tokens out of the query of the URL in `member`."""
    url = record.event.get(member)
    if isinstance(url, str):
        stripped = without_secrets(url)
        if stripped != url:
            record.event[member] = stripped
            record.received = None


def _text_of(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        return None
