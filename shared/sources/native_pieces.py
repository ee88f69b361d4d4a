"""Native events that hold a part of a body, or tell where it is -> the event as it was before."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from shared.domain.claims import Claim
from shared.domain.fragment import Piece
from shared.domain.piece_keys import CLAIM, MOST_PIECES
from shared.domain.values import Json, count
from shared.errors import EventError
from shared.sources.decoding import decode

__all__ = ["claim_in", "claim_piece", "claimed_event", "joined_event", "piece_of"]

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


def claim_in(event: Mapping[str, Json]) -> Claim | None:
    """Return where the event says that its body waits (`bodyRef`); None when nobody can tell."""
    told = event.get("bodyRef")
    if not isinstance(told, dict):
        return None
    container, blob = told.get("container"), told.get("blob")
    if not isinstance(container, str) or not isinstance(blob, str) or not container or not blob:
        return None
    checksum = told.get("sha256")
    return Claim(container, blob, count(told.get("bytes")), None if checksum is None else str(checksum))


def claim_piece(event: Mapping[str, Json], document: bytes) -> Piece | None:
    """Return the event whose body waits in Blob storage as a piece: each such event is a whole of its own.

    Args:
        event: a native event.
        document: what is kept of it.
    """
    if claim_in(event) is None:
        return None
    return Piece(hashlib.sha256(document).hexdigest()[:16], 0, 1, CLAIM)


def claimed_event(document: bytes, body: bytes) -> dict[str, Json]:
    """Return the event that `document` keeps, with the body that it claimed."""
    event: dict[str, Json] = decode(document)
    del event["bodyRef"]
    if body[:64].lstrip()[:1] in (b"{", b"["):
        try:
            event["body"] = decode(body)
        except EventError:
            pass  # a text that begins with a bracket
        else:
            return event
    try:
        event["body"] = body.decode()
    except UnicodeDecodeError:
        event["bodyBase64"] = base64.b64encode(body).decode()
    return event


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
