"""The documents of pieces -> what their whole says."""

from collections.abc import Mapping

from shared.domain.fragment import Fragment
from shared.domain.pieces import Whole
from shared.sources import azure_monitor_llm, native
from shared.sources.native_pieces import joined_event
from shared.sources.record import Record

__all__ = ["join"]


def join(whole: Whole, documents: Mapping[str, bytes], enqueued_at: str | None) -> list[tuple[str, Fragment]]:
    """Return the fragments that joined pieces make, each with the mark of the pieces up to its end.

    None at all when the pieces turn out to be no whole yet, or are not there.
    """
    if not all(key in documents for key in whole.keys):
        return []
    bodies = [documents[key] for key in whole.keys]
    if whole.keys[0][0] == azure_monitor_llm.CODE:
        return [(whole.marks[place], fragment) for place, fragment in azure_monitor_llm.join_rows(bodies, enqueued_at)]
    (fragment,) = native.SOURCE.read(Record(joined_event(bodies), None, enqueued_at)).fragments
    return [(whole.marks[0], fragment)]
