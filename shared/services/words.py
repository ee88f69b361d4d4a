"""Interactions whose words changed, and those of before there was an index -> the index of words."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from shared.domain.values import utc_now, utc_of
from shared.domain.words import index_words_of
from shared.services.content import best_content
from shared.services.isolation import LOGGED_ONLY, Failures, apart
from shared.stores.ports import ContentStore
from shared.stores.word_ports import WordIndex, WordMark

__all__ = ["index_words"]

logger = logging.getLogger(__name__)

_SECONDS: Final = 40.0
"""Of one run, about: what is left waits for the next one."""
_STEP: Final = 200
"""Interactions in one transaction, which ingest may have to wait for."""
_BODIES: Final = 20
"""Interactions whose bodies are in memory at one time."""

_Words = dict[str, set[str]]


def index_words(
    *,
    index: WordIndex,
    content: ContentStore,
    failures: Failures = LOGGED_ONLY,
    seconds: float = _SECONDS,
    now: Callable[[], datetime] = utc_now,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Let the index hold the words of all interactions as they are now; return how many it took in.

    First those that changed, then those of before there was an index, the newest week first. One that fails keeps its
    mark, and stops no other. Nothing is done where the database has no full text.

    Raises:
        StoreUnavailableError: what was taken in stays so; the next run goes on.
    """
    if not index.is_there():
        return 0
    until = clock() + seconds
    number = last = 0
    passed = 0
    while clock() < until and (marks := index.marks(after=last, limit=_STEP)):
        last = marks[-1].id
        done = apart(partial(_meet, index=index, content=content, at=utc_of(now())), marks, failures)
        number += sum(done.results)
        passed += len(done.failed)
    while clock() < until and (filling := index.filling(_STEP, at=utc_of(now()))):
        made = apart(partial(_words_of, content=content), filling.interactions, failures)
        words = {name: own for some in made.results for name, own in some.items()}
        index.keep(words, filling=filling, at=utc_of(now()))
        number += len(words)
        passed += len(made.failed)
    stand = index.stand()
    logger.info(
        "words.run interactions=%d passed_over=%d waiting=%d since=%s complete=%s",
        number, passed, stand.waiting, stand.since, stand.is_complete,
    )  # fmt: skip
    return number


def _meet(marks: Sequence[WordMark], *, index: WordIndex, content: ContentStore, at: str) -> int:
    """Take in the interactions of some marks; return how many."""
    moments = {mark.interaction_id: mark.occurred_at for mark in marks}
    words = _words_of([(name, moment) for name, moment in moments.items() if moment is not None], content=content)
    gone = [name for name, moment in moments.items() if moment is None]
    kept = content.get(gone)
    erased = {mark.interaction_id for mark in marks if mark.is_erased}
    # What became part of another has its content still; of what was erased nothing is left.
    erased.update(name for name in gone if not kept.get(name))
    words |= {name: set() for name in gone}
    index.keep(words, marks=[mark.id for mark in marks], erased=erased, at=at)
    return len(words)


def _words_of(interactions: Sequence[tuple[str, str]], *, content: ContentStore) -> _Words:
    """Return the words of each interaction, given as id and time; none of one that has no text."""
    words: _Words = {}
    for some in _some(interactions):
        documents = content.get([name for name, _ in some])
        for name, moment in some:
            texts = best_content(name, documents.get(name, ()), moment)
            words[name] = index_words_of(texts.prompt, texts.completion)
    return words


def _some(interactions: Sequence[tuple[str, str]]) -> Iterable[Sequence[tuple[str, str]]]:
    return (interactions[start : start + _BODIES] for start in range(0, len(interactions), _BODIES))
