"""Words of the service that no list of ours knows: each leaves a trace, so that a new one is seen the day it comes.

Wherever a closed list of words decides (codes, headers, members, operations), a word that is not in
it is noted here as `kind:word`. What is no plain word, or looks like an id or a key, becomes `?`:
the trace is read by people who may read no texts.
"""

import re
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

import orjson

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical

__all__ = ["FIELD", "LONGEST", "MOST", "carry", "forget", "note", "united", "words_in"]

FIELD: Final = "unknown_words"
MOST: Final = 16
"""Words that one interaction keeps; of more, the first in their order."""
LONGEST: Final = 64
"""Characters of a word; the rest is cut off."""

_LOOKED_AT: Final = 1024
_NO_WORD: Final = "?"
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_MOST_DIGITS: Final = 8
"""A word may end in a date; ids and keys hold more digits."""
_RANDOM: Final = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{17}")
"""No word is so long, with a digit in it and nothing that parts it."""


def note(facts: Facts, kind: str, words: Iterable[Json]) -> None:
    """Add `kind:word` for each of `words`, unknown ones, to the trace in `facts`."""
    noted = {f"{kind}:{_plain(word)}" for word in islice(words, _LOOKED_AT)}
    if noted:
        facts[FIELD] = canonical(_first({*noted, *words_in(facts.get(FIELD))}))


def carry(facts: Facts, *others: Facts) -> None:
    """Add the traces in `others` to that in `facts`."""
    for trace in filter(None, [other.get(FIELD) for other in others]):
        facts[FIELD] = united(facts.get(FIELD, trace), trace)


def forget(facts: Facts, known: Collection[str]) -> None:
    """Take the words that are known after all, as `kind:word`, out of the trace in `facts`."""
    trace = facts.get(FIELD)
    if trace is None:
        return
    words = [word for word in words_in(trace) if word not in known]
    if words:
        facts[FIELD] = canonical(words)
    else:
        del facts[FIELD]


def united(one: str, other: str) -> str:
    """Return the trace that holds the words of both: whatever the order and repeats, it is the same."""
    return one if one == other else canonical(_first({*words_in(one), *words_in(other)}))


def words_in(trace: str | None) -> list[str]:
    """Return the words of a trace, as `kind:word`."""
    return list(orjson.loads(trace)) if trace else []


def _first(words: set[str]) -> list[str]:
    return sorted(words)[:MOST]


def _plain(word: Json) -> str:
    if not isinstance(word, str) or _WORD.fullmatch(word) is None:
        return _NO_WORD
    if sum(map(str.isdigit, word)) > _MOST_DIGITS or _RANDOM.search(word) is not None:
        return _NO_WORD
    return word[:LONGEST]
