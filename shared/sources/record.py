"""What every source works on and returns: one JSON object of an event, the reading of it, and the ids of its call."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from shared.domain.fragment import Fragment
from shared.domain.reassembly.chunks import ChunkSet
from shared.domain.record_types import RecordType
from shared.domain.values import Json
from shared.errors import EventError

__all__ = [
    "BOTH_SIDES",
    "CUT",
    "Aside",
    "Reading",
    "Record",
    "Source",
    "correlation_ids_of",
    "inner",
    "interaction_id",
    "is_guid",
    "response_correlation",
    "service_correlation",
]


class Aside(NamedTuple):
    """A record that speaks of no call, or of none that can be identified: only its content is kept."""

    shelf: str
    """Stands in the content store where an interaction's id would; not one of theirs."""
    document: bytes


class Reading(NamedTuple):
    """What one event says."""

    source: str
    """Public name of the source, as `RecordType.source`."""
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
BOTH_SIDES: Final = "promptledger-both-sides"
"""The member that tells, of one side's messages, that the other side's stood in the same row of a log."""


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
    for member in (CUT, BOTH_SIDES):
        event.pop(member, None)
    return Record(event, None, outer.enqueued_at, cut=outer.cut)


class Source(NamedTuple):
    """An event format: what its records are, how to recognise it, how to read it."""

    record_types: tuple[RecordType, ...]
    recognises: Callable[[dict[str, Json]], bool]
    read: Callable[[Record], Reading]
    """May raise EventError."""
    assemble: Callable[[ChunkSet, Sequence[bytes]], list[tuple[str, Fragment]]] | None = None
    """Chunks and their documents -> what they make together, each with the mark of its chunks; may raise EventError.
    None where the source cuts no bodies."""
    salvage: Callable[[Sequence[bytes]], Fragment | None] | None = None
    """Documents of chunks side by side, from the first on -> what they say as far as they are complete."""


_ID_LENGTH: Final = 128
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_GUID_LENGTH: Final = 36


def is_guid(value: str) -> bool:
    """Return whether `value` is a GUID, whose letters mean the same in either case."""
    return len(value) == _GUID_LENGTH and _GUID.fullmatch(value) is not None


def service_correlation(request_id: Json) -> str | None:
    """Return that of Azure OpenAI's own request id: header `apim-request-id`, `correlationId` of its logs."""
    return _correlation("apim-request-id", request_id)


def response_correlation(response_id: Json) -> str | None:
    """Return that of an answer's `id`, such as `chatcmpl-...`."""
    return _correlation("response-id", response_id)


def correlation_ids_of(value: Json) -> list[str]:
    """Return every correlation id that `value`, an id that somebody asks for, may be a part of."""
    return [one for one in (service_correlation(value), response_correlation(value)) if one is not None]


def _correlation(kind: str, value: Json) -> str | None:
    if not isinstance(value, str) or not (value := value.strip()) or "\x00" in value:
        return None
    if len(value) * 2 > _ID_LENGTH and len(value.encode("utf-16-le", "replace")) > 2 * _ID_LENGTH:
        return None
    return f"{kind}:{value.lower() if is_guid(value) else value}"


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
