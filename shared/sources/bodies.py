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
    text = record.event.get(member)
    if isinstance(text, str) and (plain := inflate(text)) is not None:
        record.event[member] = text = plain
        record.received = None
    body, cut = (json_in(text) if isinstance(text, str) else None) or (text, False)
    stripped = withhold_from_stream(body) if isinstance(body, str) else body
    if withhold(stripped) or stripped is not body:
        record.event[member] = stripped
        record.received = None
    record.cut |= cut
    return stripped


def json_in(text: str) -> tuple[Json, bool] | None:
    """Return the JSON that a body is, as far as it is whole, and whether its end is missing; None for another text."""
    if not begins_like_json(text):
        return None
    value, cut = salvage(text)
    if cut and isinstance(value, list):
        # Of a stream in an array the elements that are whole: half of one tells an end without its usage.
        value = elements_of(text)[0] or value
    # A text may begin with a bracket, and a file's lines be JSON each.
    return None if cut and (value in (None, []) or _is_json_line(text)) else (value, cut)


def _is_json_line(text: str) -> bool:
    """Return whether a text's first line is whole JSON, and more follows."""
    line, _, rest = text.lstrip().partition("\n")
    if not rest.strip():
        return False
    try:
        decode(line)
    except EventError:
        return False
    return True
