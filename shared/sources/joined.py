"""The documents of pieces -> what their whole says."""

from collections.abc import Mapping

from shared.domain.fragment import Fragment
from shared.domain.pieces import Whole
from shared.domain.values import Json
from shared.sources import azure_monitor_llm, native
from shared.sources.native_pieces import claimed_event, joined_event
from shared.sources.record import Record

__all__ = ["joined", "redeemed"]


def joined(whole: Whole, documents: Mapping[str, bytes]) -> list[tuple[str, Fragment]]:
    """Return what `shared.sources.join` does.

    Raises:
        EventError: the pieces are there, and make nothing that can be understood.
    """
    if not all(key in documents for key in whole.keys):
        return []
    bodies = [documents[key] for key in whole.keys]
    if whole.keys[0][0] == azure_monitor_llm.CODE:
        return [(whole.marks[place], fragment) for place, fragment in azure_monitor_llm.join_rows(bodies)]
    return [(whole.marks[0], _read(joined_event(bodies)))]


def redeemed(document: bytes, body: list[bytes]) -> Fragment:
    """Return what `shared.sources.redeem` does; `body` is empty then.

    Raises:
        EventError: the body makes nothing that can be understood.
    """
    # The body may be half of what this process has: it goes before the event is written anew.
    return _read(claimed_event(document, body.pop()))


def _read(event: dict[str, Json]) -> Fragment:
    (fragment,) = native.SOURCE.read(Record(event, None, None)).fragments
    return fragment
