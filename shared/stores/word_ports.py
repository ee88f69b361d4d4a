"""What services need from an index of words. It proposes calls; the content itself decides whether one matches."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from shared.domain.words import WordQuery
from shared.questions import InteractionFilter, ListKey
from shared.stores.ports import Row

__all__ = ["Candidates", "Filling", "Stand", "WordIndex", "WordMark", "WordSearch"]


class WordMark(NamedTuple):
    """An interaction whose words the index does not hold as they are now."""

    id: int
    interaction_id: str
    occurred_at: str | None
    """None: there is no such interaction any more."""
    is_erased: bool
    """Whether a document of it was taken away."""


class Filling(NamedTuple):
    """Interactions of one week that the index takes in next."""

    week: int
    generation: int
    interactions: Sequence[tuple[str, str]]
    """Id and time, newest first; of those that the index does not hold yet."""
    reaches: ListKey | None
    """How far the week is filled then; None: to its end."""


class Stand(NamedTuple):
    """How far the index is behind."""

    waiting: int
    """Interactions that changed and were not taken in yet, about."""
    since: str | None
    """Since when the one has waited that waits longest."""
    is_complete: bool
    """Whether it holds all weeks of the ledger."""


class Candidates(NamedTuple):
    """Interactions that may match, newest first."""

    rows: list[Row]
    next: ListKey | None
    """Behind which the search goes on; None: there are no more."""
    is_degraded: bool
    """Whether the index did not help: the rows are all that the other filters find."""


class WordSearch(Protocol):
    """One question, asked step by step."""

    def find(self, after: ListKey | None, *, limit: int, is_over: Callable[[], bool]) -> Candidates:
        """Return up to `limit` candidates behind `after`; fewer, even none, once `is_over` says so."""


class WordIndex(Protocol):
    """The words of prompts and completions. Every method raises StoreUnavailableError when the database is down."""

    def is_there(self) -> bool:
        """Return whether this database has full text, and it is turned on."""

    def marks(self, *, after: int, limit: int) -> list[WordMark]:
        """Return up to `limit` marks behind the one with the id `after`, oldest first."""

    def filling(self, limit: int, *, at: str) -> Filling | None:
        """Return what the index takes in next of the weeks that it does not hold, None where it holds all.

        Args:
            limit: interactions, at most.
            at: now, canonical UTC.
        """

    def keep(
        self,
        words: Mapping[str, Collection[str]],
        *,
        marks: Sequence[int] = (),
        filling: Filling | None = None,
        erased: Collection[str] = (),
        at: str,
    ) -> None:
        """Let the index hold the words of some interactions, none where there are none; all or nothing is done.

        Args:
            words: interaction id -> each word once.
            marks: that are met with it.
            filling: that is met with it.
            erased: those of the interactions whose words must leave the index.
            at: now, canonical UTC.
        """

    def stand(self) -> Stand:
        """Return how far the index is behind."""

    def search(self, query: WordQuery, narrow: InteractionFilter) -> WordSearch:
        """Return the search for interactions that match `query`, among those that `narrow` finds."""
