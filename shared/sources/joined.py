"""The documents of pieces -> what their whole says."""

from collections.abc import Mapping, Sequence

import orjson

from shared.domain.fragment import Fragment
from shared.domain.piece_keys import Whole
from shared.domain.redaction import is_binary_stream, redacted
from shared.sources import azure_monitor_llm, native
from shared.sources.decoding import decode
from shared.sources.native_pieces import claimed_event, joined_event
from shared.sources.record import Record

__all__ = ["joined", "redeemed", "salvaged"]


def joined(whole: Whole, documents: Mapping[str, bytes]) -> list[tuple[str, Fragment]]:
    """Return what `shared.sources.join` does.

    Raises:
        EventError: the pieces are there, and make nothing that can be understood.
    """
    if not all(key in documents for key in whole.keys):
        return []
    bodies = [documents[key] for key in whole.keys]
    if whole.keys[0][0] == azure_monitor_llm.CODE:
        rows = azure_monitor_llm.join_rows(bodies)
        return [(whole.mark(row.first, row.last, withheld=row.withheld), row.fragment) for row in rows]
    event = joined_event(bodies)
    # What stood in no piece alone may be whole now.
    written = orjson.dumps(event)
    clean = redacted(written)
    record = Record(event, written, None) if clean is written else Record(decode(clean), None, None)
    (fragment,) = native.SOURCE.read(record).fragments
    # A record is written anew when something was taken out of it.
    return [(whole.mark(0, len(bodies) - 1, withheld=record.received is None), fragment)]


def redeemed(document: bytes, body: list[bytes]) -> Fragment:
    """Return what `shared.sources.redeem` does; `body` is empty then.

    Raises:
        EventError: the body makes nothing that can be understood.
    """
    # The body may be half of what this process has: it goes before the event is written anew.
    if not is_binary_stream(body[0]):
        body.append(redacted(body.pop()))
    event = claimed_event(document, body.pop())
    (fragment,) = native.SOURCE.read(Record(event, None, None)).fragments
    return fragment


def salvaged(keys: Sequence[str], documents: Mapping[str, bytes]) -> Fragment | None:
    """Return what `shared.sources.salvage_pieces` does.

    Raises:
        EventError: the pieces make nothing that can be understood.
    """
    bodies: list[bytes] = []
    for key in keys:
        if key not in documents:
            break
        bodies.append(documents[key])
    if not bodies:
        return None
    if keys[0][0] == azure_monitor_llm.CODE:
        return azure_monitor_llm.salvage_rows(bodies)
    event = decode(redacted(orjson.dumps(joined_event(bodies))))
    (fragment,) = native.SOURCE.read(Record(event, None, None, cut=True)).fragments
    fragment.facts["truncated"] = True
    return fragment
