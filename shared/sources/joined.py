"""The documents of pieces -> what their whole says."""

from collections.abc import Mapping, Sequence

from shared.domain.fragment import Fragment
from shared.domain.pieces import Whole
from shared.sources import azure_monitor_llm, native
from shared.sources.native_pieces import joined_event
from shared.sources.record import Record

__all__ = ["joined", "salvaged"]


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
    (fragment,) = native.SOURCE.read(Record(joined_event(bodies), None, None)).fragments
    return [(whole.marks[0], fragment)]


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
    (fragment,) = native.SOURCE.read(Record(joined_event(bodies), None, None, cut=True)).fragments
    fragment.facts["truncated"] = True
    return fragment
