"""What one event, or one record inside an event, says about one interaction."""

from typing import Final, NamedTuple

from shared.domain.interaction import Facts, Provenance
from shared.domain.values import Json

__all__ = ["EVIDENCE", "Content", "Evidence", "Fragment", "Piece"]


class Evidence(NamedTuple):
    """A kind of witness: one part of one source."""

    source: str
    """The source's public name, as `sources` of the audit API lists it."""
    part: str
    provenance: Provenance
    """Of the token counts that this witness brings."""


EVIDENCE: Final[dict[str, Evidence]] = {
    "Q": Evidence("native", "request", Provenance.REPORTED),
    "R": Evidence("native", "response", Provenance.REPORTED),
    "E": Evidence("native", "error", Provenance.REPORTED),
    "b": Evidence("enterprise-logging", "request", Provenance.REPORTED),
    "a": Evidence("enterprise-logging", "response", Provenance.REPORTED),
    "u": Evidence("ai-hub-gateway", "usage", Provenance.LOGGED),
    "v": Evidence("ai-hub-gateway", "estimate", Provenance.ESTIMATED),
    "p": Evidence("ai-hub-gateway", "personal data", Provenance.LOGGED),
    "t": Evidence("toolkit", "usage", Provenance.LOGGED),
    "z": Evidence("enterprise-azureai", "usage", Provenance.LOGGED),
    "h": Evidence("apim-docs", "call", Provenance.REPORTED),
    "y": Evidence("raw-http", "request", Provenance.REPORTED),
    "x": Evidence("raw-http", "response", Provenance.REPORTED),
    "G": Evidence("azure-monitor", "gateway log", Provenance.REPORTED),
    "g": Evidence("azure-monitor", "gateway log with a body cut off", Provenance.REPORTED),
    "L": Evidence("azure-monitor", "model log", Provenance.LOGGED),
    "M": Evidence("azure-monitor", "request messages of the model log", Provenance.LOGGED),
    "m": Evidence("azure-monitor", "response messages of the model log", Provenance.LOGGED),
    "D": Evidence("azure-openai", "call", Provenance.LOGGED),
    "d": Evidence("azure-openai", "call without its model", Provenance.LOGGED),
    "n": Evidence("azure-openai", "usage", Provenance.LOGGED),
    "e": Evidence("", "estimate", Provenance.ESTIMATED),
}
"""Code -> witness. The code stands in the ledger beside every value it won: never reuse one.

`q` is taken too: in shared/merge.py it marks a time that no witness told.
"""


class Content(NamedTuple):
    """The texts and bodies of one fragment; references into the parsed event, never copies."""

    prompt: str | None = None
    completion: str | None = None
    request: Json = None
    response: Json = None


class Piece(NamedTuple):
    """Where a fragment stands among those that are a whole only together."""

    group: str
    """What tells one whole of an interaction from another; letters and digits only."""
    place: int
    total: int | None
    """Pieces of the whole; None where nobody says."""
    kind: str
    """What the piece brings, in one letter; the group's module knows it."""


class Fragment(NamedTuple):
    """One witness's word on one interaction."""

    interaction_id: str
    """1 to 128 UTF-16 units, lower case when it is a GUID."""
    code: str
    """Key of `EVIDENCE`."""
    facts: Facts
    """Never holds None: what a witness does not know it does not say."""
    content: Content
    document: bytes
    """What the content store keeps of it: the event, or the record, less what must not be kept."""
    piece: Piece | None = None
    """Set when the body stands in several events: facts and content are what this one says alone."""
    claims: tuple[str, ...] = ()
    """Names under which others may know the interaction, see `shared.domain.names`."""
    guest: str | None = None
    """The name by which this witness knows the interaction, when the id is not the gateway's."""
