"""A question in words -> the interactions in whose texts they occur, within a bounded time."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from shared.domain.words import WordQuery, snippet_of
from shared.questions import InteractionFilter, ListKey
from shared.services.content import best_content
from shared.stores.ports import AuditStore, ContentDocument, ContentStore, Row
from shared.stores.word_ports import Candidates, WordIndex, WordSearch

__all__ = ["DEFAULT_BOUNDS", "Search", "SearchBounds", "SearchPage"]

_STEP: Final = 50
"""Interactions whose content is in memory at one time."""


class SearchBounds(NamedTuple):
    """Where a search ends that has not found all: what it has is answered, with a cursor."""

    interactions: int = 5_000
    """Whose content is read."""
    cpu_seconds: float = 1.5
    """After which it begins nothing new: it never takes 2."""
    seconds: float = 10.0
    """The same, by the clock: waiting for a content store takes no processor."""
    cpu: Callable[[], float] = time.thread_time
    clock: Callable[[], float] = time.monotonic


DEFAULT_BOUNDS: Final = SearchBounds()


class SearchPage(NamedTuple):
    """Part of what a search finds, newest first."""

    rows: list[Row]
    """Each with `snippet`: which part of its content matches, and how that goes."""
    next: ListKey | None
    """Where the search goes on; None: that is all. A page may be short, even empty, and have one."""
    is_degraded: bool
    """Whether texts had to be read that no index proposed: slow, and complete all the same."""
    waiting: int
    """Interactions that changed and whose words are not in the index yet."""


class Search:
    """Searches by words."""

    def __init__(
        self, store: AuditStore, content: ContentStore, words: WordIndex | None, bounds: SearchBounds = DEFAULT_BOUNDS
    ) -> None:
        """Read from `store` and `content`, by `words` if there is such an index, within `bounds`."""
        self._store = store
        self._content = content
        self._words = words
        self._bounds = bounds

    def page(self, query: WordQuery, narrow: InteractionFilter, *, after: ListKey | None, limit: int) -> SearchPage:
        """Return the interactions among those that `narrow` finds that match `query`, behind `after`."""
        is_over = _ending(self._bounds)
        hits: list[Row] = []
        seen, is_degraded = 0, False
        steps: WordSearch = _Listed(self._store, narrow) if self._words is None else self._words.search(query, narrow)
        while True:
            found = steps.find(after, limit=min(_STEP, self._bounds.interactions - seen), is_over=is_over)
            is_degraded = is_degraded or found.is_degraded
            documents = self._content.get([row["id"] for row in found.rows])
            after = found.next
            for number, row in enumerate(found.rows, start=1):
                seen += 1
                if snippet := _match(query, row, documents.get(row["id"], ())):
                    hits.append(row | {"snippet": snippet})
                if len(hits) == limit or is_over():
                    is_last = number == len(found.rows)
                    after = found.next if is_last else ListKey(row["occurred_at"], row["id"])
                    break
            if after is None or len(hits) == limit or seen >= self._bounds.interactions or is_over():
                return SearchPage(hits, after, is_degraded, self._waiting())

    def _waiting(self) -> int:
        return 0 if self._words is None else self._words.stand().waiting


def _ending(bounds: SearchBounds) -> Callable[[], bool]:
    cpu, clock = bounds.cpu() + bounds.cpu_seconds, bounds.clock() + bounds.seconds
    return lambda: bounds.cpu() >= cpu or bounds.clock() >= clock


def _match(query: WordQuery, row: Row, documents: Sequence[ContentDocument]) -> dict[str, str] | None:
    """Return where an interaction's texts match, and how that goes; None where they don't."""
    texts = best_content(row["id"], documents, row["occurred_at"])
    if not query.matches(texts.prompt, texts.completion):
        return None
    for part, text in (("prompt", texts.prompt), ("completion", texts.completion)):
        if (snippet := snippet_of(query, text)) is not None:
            return {"part": part, "text": snippet}
    return {"part": "prompt", "text": ""}  # a letter that is another when it stands alone: it matches all the same


class _Listed:
    """`WordSearch` without an index: all that the other filters find."""

    def __init__(self, store: AuditStore, narrow: InteractionFilter) -> None:
        self._store = store
        self._narrow = narrow

    def find(self, after: ListKey | None, *, limit: int, is_over: Callable[[], bool]) -> Candidates:
        del is_over  # one page is bounded by itself
        rows = self._store.interactions(self._narrow, after=after, limit=limit)
        last = ListKey(rows[-1]["occurred_at"], rows[-1]["id"]) if len(rows) == limit else None
        return Candidates(rows, last, is_degraded=True)
