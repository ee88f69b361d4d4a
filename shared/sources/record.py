"""What every source works on and returns: one JSON object of an event, and the reading of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from shared.domain.fragment import Fragment
from shared.domain.names import is_guid
from shared.domain.values import Json
from shared.errors import EventError

__all__ = ["CUT", "Aside", "Reading", "Record", "Source", "inner", "interaction_id"]


class Aside(NamedTuple):
    """A record that speaks of no call, or of none that can be told: only its content is kept."""

    shelf: str
    """Stands in the content store where an interaction's id would; not one of theirs."""
    document: bytes


class Reading(NamedTuple):
    """What one event says."""

    source: str
    """Public name of the source, as `Evidence.source`."""
    fragments: tuple[Fragment, ...] = ()
    skipped: str | None = None
    """Why there are no fragments: the event speaks of no call."""
    asides: tuple[Aside, ...] = ()
    unknown_words: tuple[str, ...] = ()
    """As `shared.domain.unknown_words` writes them: those that no interaction can keep, for there is none."""
    removed: int = 0
    """Secrets that were taken out of the event."""


CUT: Final = "promptledger-cut"
"""The member that tells, of an event written anew, that it was cut off when we got it."""


@dataclass(slots=True)
class Record:
    """One JSON object of an event. A source may take from `event` what must not be kept."""

    event: dict[str, Json]
    received: bytes | None
    """The object's own bytes; None when they have to be written anew from `event`."""
    enqueued_at: str | None
    """Canonical UTC; None when the host did not know it."""
    cut: bool = False
    """Whether the end of the event, or of a body in it, is missing."""

    def document(self) -> bytes:
        """Return what the content store keeps."""
        if self.received is not None:
            return self.received
        return orjson.dumps(self.event | {CUT: True} if self.cut else self.event)


def inner(event: dict[str, Json], outer: Record) -> Record:
    """Return the record of an object that stood inside another."""
    # What we write into records of our own, we believe nobody else.
    event.pop(CUT, None)
    return Record(event, None, outer.enqueued_at, cut=outer.cut)


class Source(NamedTuple):
    """An event format: how to tell it, how to read it."""

    recognises: Callable[[dict[str, Json]], bool]
    read: Callable[[Record], Reading]
    """May raise EventError."""


_ID_LENGTH: Final = 128


def interaction_id(value: Json, member: str) -> str:
    """Return the id in `value`, trimmed, in lower case when it is a GUID.

    Raises:
        EventError: there is none, or none that a key can hold; names `member`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not (name := value.strip()):
        raise EventError(f"{member} is missing")
    if len(name) * 2 > _ID_LENGTH and len(name.encode("utf-16-le")) > 2 * _ID_LENGTH:
        raise EventError(f"{member} is longer than {_ID_LENGTH} characters")
    if "\x00" in name:
        raise EventError(f"{member} holds a NUL")
    return name.lower() if is_guid(name) else name
