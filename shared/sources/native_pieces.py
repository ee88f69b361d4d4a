"""Native events that hold a part of a body -> the event that they were cut from."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from shared.domain.fragment import Piece
from shared.domain.pieces import MOST_PIECES
from shared.domain.values import Json, count
from shared.sources.decoding import decode

__all__ = ["joined_event", "piece_of"]

_KINDS: Final = {"utf-8": "u", "utf8": "u", "base64": "b"}


def piece_of(event: dict[str, Json], code: str) -> Piece | None:
    """Return where the event's `bodyPart` stands; None when it has none that can be understood."""
    part = event.get("bodyPart")
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        return None
    index, total = count(part.get("index")), count(part.get("count"))
    kind = _KINDS.get(str(part.get("encoding", "utf-8")).lower())
    if index is None or total is None or kind is None or not index < total <= MOST_PIECES:
        return None
    return Piece(code, index, total, kind)


def joined_event(documents: Sequence[bytes]) -> dict[str, Json]:
    """Return the event of which `documents` are the pieces, in order; its body is whole."""
    events = [decode(document) for document in documents]
    event: dict[str, Json] = events[0]
    encoded = _KINDS[str(event["bodyPart"].get("encoding", "utf-8")).lower()] == "b"
    parts = [one["bodyPart"]["data"] for one in events]
    del event["bodyPart"]
    if encoded:
        event["bodyBase64"] = _joined_base64(parts)
    else:
        event["body"] = "".join(parts)
    return event


def _joined_base64(parts: Sequence[str]) -> str:
    """Join base64 that was cut after encoding, or encoded after cutting."""
    try:
        return base64.b64encode(b"".join(base64.b64decode(part, validate=True) for part in parts)).decode()
    except (binascii.Error, ValueError):
        return "".join(parts)
