"""Bodies that an event holds as text, in one of its members."""

from collections.abc import Callable

from shared.domain.values import Json
from shared.errors import EventError
from shared.operations.encodings import inflate
from shared.operations.streams import elements_of
from shared.operations.withheld import withhold_from_stream
from shared.sources.decoding import begins_like_json, decode
from shared.sources.record import Record
from shared.sources.salvage import salvage

__all__ = ["body_in", "json_in"]


def body_in(record: Record, member: str, withhold: Callable[[Json], bool]) -> Json:
    """Return the body in `member` of the event, and note in `record` whether its end is missing.

    It is parsed as far as it is whole, and stays a text when it is no JSON. One that is compressed is
    read as what it was, and kept so. What `withhold` removes is removed from the record's event too.
    """
    told = record.event.get(member)
    if isinstance(told, str) and (plain := inflate(told)) is not None:
        record.event[member] = told = plain
        record.received = None
    body, cut = (json_in(told) if isinstance(told, str) else None) or (told, False)
    stripped = withhold_from_stream(body) if isinstance(body, str) else body
    if withhold(stripped) or stripped is not body:
        record.event[member] = stripped
        record.received = None
    record.cut |= cut
    return stripped


def json_in(told: str) -> tuple[Json, bool] | None:
    """Return the JSON that a body is, as far as it is whole, and whether its end is missing; None for another text."""
    if not begins_like_json(told):
        return None
    value, cut = salvage(told)
    if cut and isinstance(value, list):
        # Of a stream in an array the elements that are whole: half of one tells an end without its usage.
        value = elements_of(told)[0] or value
    # A text may begin with a bracket, and a file's lines be JSON each.
    return None if cut and (value in (None, []) or _is_json_line(told)) else (value, cut)


def _is_json_line(told: str) -> bool:
    """Return whether a text's first line is whole JSON, and more follows."""
    line, _, rest = told.lstrip().partition("\n")
    if not rest.strip():
        return False
    try:
        decode(line)
    except EventError:
        return False
    return True
