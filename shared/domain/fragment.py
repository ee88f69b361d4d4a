"""What one event, or one record inside an event, says about one interaction."""

import hashlib
from typing import Final, NamedTuple

from shared.domain.interaction import Facts
from shared.domain.reassembly.keys import Chunk
from shared.domain.record_types import RecordType
from shared.domain.values import Json

__all__ = ["Content", "Fragment", "digest", "without_content"]


class Content(NamedTuple):
    """The texts and bodies of one fragment; references into the parsed event, never copies."""

    prompt: str | None = None
    completion: str | None = None
    request: Json = None
    response: Json = None


class Fragment(NamedTuple):
    """What one record says of one interaction."""

    interaction_id: str
    """1 to 128 UTF-16 units, lower case when it is a GUID."""
    record_type: RecordType
    facts: Facts
    """Never holds None: what a record does not know it does not say."""
    content: Content
    document: bytes
    """What the content store keeps of it: the event, or the record, less what must not be kept."""
    chunk: Chunk | None = None
    """Set when the body stands in several events: facts and content are what this one says alone."""
    correlation_ids: tuple[str, ...] = ()
    """Ids under which records of other sources may know the interaction, see `shared.sources.record`."""
    foreign_id: str | None = None
    """The correlation id by which this record knows the interaction, when its id is not the gateway's."""
    key: str = ""
    """Of the document in the content store, and of the fragment among the parts of its interaction; "" until
    `shared.sources` has finished it."""


_NOTHING: Final = Content()


def without_content(fragment: Fragment) -> Fragment:
    """Return a fragment whose texts are let go: parsed they weigh many times what its document does."""
    name, record_type, facts, _, document, chunk, correlation_ids, foreign_id, key = fragment
    return Fragment(name, record_type, facts, _NOTHING, document, chunk, correlation_ids, foreign_id, key)


def digest(data: bytes) -> str:
    """Return what tells documents and events apart."""
    return hashlib.sha256(data).hexdigest()[:32]
