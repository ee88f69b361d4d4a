"""Bodies that an event holds as text, in one of its members."""

from collections.abc import Callable

from shared.domain.values import Json
from shared.operations.streams import withhold_from_stream
from shared.sources.record import Record
from shared.sources.salvage import salvage

__all__ = ["body_in"]


def body_in(record: Record, member: str, withhold: Callable[[Json], bool]) -> Json:
    """Return the body in `member` of the event, and note in `record` whether its end is missing.

    It is parsed as far as it is whole, and stays a text when it is no JSON. What `withhold` removes
    is removed from the record's event too.
    """
    told = record.event.get(member)
    body, cut = _parsed(told) if isinstance(told, str) else (told, False)
    stripped = withhold_from_stream(body) if isinstance(body, str) else body
    if withhold(stripped) or stripped is not body:
        record.event[member] = stripped
        record.received = None
    record.cut |= cut
    return stripped


def _parsed(told: str) -> tuple[Json, bool]:
    if told.lstrip()[:1] not in ("{", "["):
        return told, False
    body, cut = salvage(told)
    # A text may begin with a bracket.
    return (body, cut) if body else (told, False)
