"""What became of a batch's events."""

from collections import Counter
from dataclasses import dataclass, field, fields

from shared.domain.balance import Balance

__all__ = ["IngestOutcome"]


@dataclass(frozen=True, slots=True)
class IngestOutcome(Balance):
    """The balance of a batch, and what else is worth telling of it."""

    retries: int = field(default=0, compare=False)
    """Times that the batch was begun again: another writer was first, or the database did not do it."""
    input_tokens: int = field(default=0, compare=False)
    """Of the batch's interactions, more than the ledger knew before."""
    output_tokens: int = field(default=0, compare=False)
    unknown_words: Counter[str] = field(default_factory=Counter, compare=False)
    """`kind:word` (`shared.domain.unknown_words`) -> interactions of the batch, or events that speak of none, that
    have it and had it not before."""
    secrets: int = field(default=0, compare=False)
    """Taken out of the events before anything was stored."""

    def __add__(self, other: "IngestOutcome") -> "IngestOutcome":
        """Return what became of both batches' events."""
        return IngestOutcome(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def __str__(self) -> str:
        """Return the counts as `name=value` pairs, for the log."""
        names = [one.name for one in fields(self) if one.name != "unknown_words"]
        return " ".join(f"{name}={getattr(self, name)}" for name in names)
