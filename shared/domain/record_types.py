"""What each type of record can say of a call, and how its word ranks: declared by the sources, obeyed by the merge."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from shared.domain.interaction import Aspect, Provenance

__all__ = ["Observer", "Precedence", "RecordType"]


class Observer(Enum):
    """Who writes a record."""

    POLICY = "a policy of the gateway"
    GATEWAY = "the gateway's own log"
    SERVICE = "the model service's own log"
    PRODUCT = "this product: an estimate"


class Precedence(NamedTuple):
    """The rank of a record type for each aspect of a call: 1 is best. No two types share a rank.

    Ranks are tens, so that a new type finds its place between two others. `docs/events.md` shows all of them
    as one table, best first.
    """

    general: int
    request: int
    error: int
    time: int
    model: int
    prompt: int
    cache: int

    def of(self, aspect: Aspect) -> int:
        """Return the rank for one aspect."""
        rank: int = getattr(self, aspect.value)
        return rank


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of record of one source."""

    source: str
    """The source's public name, as `sources` of the audit API lists it."""
    part: str
    letter: str
    """Stands in the ledger beside every value that such a record won: never change it, never use it again."""
    provenance: Provenance
    """Of the token counts that such a record brings."""
    precedence: Precedence
    observer: Observer = Observer.POLICY
    tells_start: bool = False
    """Whether its time is that at which the call began. Of all that tell it, the earliest wins."""
    names_caller: bool = False
    """Whether it names users, applications and addresses as the gateway validated them. API Management's logs know a
    user by its own id and a caller by the address of the last proxy; the service's logs take the gateway for the
    caller."""
    has_texts: bool = True
    """Whether tokens can be estimated from it. Records of personal data hold texts too, of calls that others count."""
