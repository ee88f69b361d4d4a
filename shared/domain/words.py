"""The words of texts: how a search compares them, and what an index of words holds of a text.

Case and accents make no difference. A word is letters and digits that stand together. Chinese, Japanese, Thai, Lao,
Khmer and Burmese put no blanks between words: what stands together there is sought as it is, in any place.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["LEAST_PREFIX", "Term", "WordQuery", "index_words_of", "query_of", "snippet_of"]

LEAST_PREFIX: Final = 3
"""Letters: fewer begin so many words that an index has to add up half of all it holds."""

_RUNNING: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS: Final = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
"""Signs of a word that are no letters to Python."""
_WORD: Final = re.compile(rf"[{_RUNNING}]+|(?:[^\W_{_RUNNING}]|[{_MARKS}])+")
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_IS_RUNNING: Final = re.compile(rf"[{_RUNNING}]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_TERM: Final = re.compile(r'"([^"]*)"(\*?)|(\S+)')

_LONGEST: Final = 64
"""Letters of a word that the index holds; keys and digests are longer, and the text itself tells the rest."""
_SNIPPET: Final = 160
"""Letters of a snippet, about."""


class Term(NamedTuple):
    """A word, or several that follow each other."""

    words: tuple[str, ...]
    """Folded, one at least."""
    is_prefix: bool
    """Whether the last one may go on."""

    @property
    def needle(self) -> str:
        """Return what stands in the folded text where the term does; see `_folded`."""
        before = "" if _IS_RUNNING.match(self.words[0]) else " "
        behind = "" if self.is_prefix or _IS_RUNNING.match(self.words[-1][-1]) else " "
        return before + " ".join(self.words) + behind


class WordQuery(NamedTuple):
    """Terms that must all occur."""

    terms: tuple[Term, ...]

    def matches(self, *texts: str | None) -> bool:
        """Return whether every term occurs in one of the texts, the prompt and the completion, say."""
        folded = [_folded(text) for text in texts if text]
        return all(any(term.needle in text for text in folded) for term in self.terms)

    def index_terms(self) -> list[tuple[str, bool]]:
        """Return what `index_words_of` a text must hold, all of it, for it to match; true: or anything that begins so.

        A text that holds it all may still not match: that words follow each other no index of ours tells.
        """
        wanted: dict[tuple[str, bool], None] = {}
        for term in self.terms:
            for number, word in enumerate(term.words, start=1):
                is_last = number == len(term.words)
                if not _IS_RUNNING.match(word):
                    wanted[word[:_LONGEST], term.is_prefix and is_last] = None
                elif len(word) == 1:
                    wanted[word, True] = None
                else:
                    wanted |= dict.fromkeys((word[place : place + 2], False) for place in range(len(word) - 1))
        return list(wanted)


def query_of(question: str) -> WordQuery:
    """Return what a question asks: `word`, `begin*`, `"words that follow each other"`, all of which must occur.

    Raises:
        ValueError: it has no word, or a beginning that is too short.
    """
    terms = []
    for phrase, star, word in _TERM.findall(question):
        words = tuple(_words(phrase or word))
        is_prefix = bool(star) or word.endswith("*")
        if words and is_prefix and len(words[-1]) < LEAST_PREFIX and not _IS_RUNNING.match(words[-1]):
            raise ValueError(f"before * give {LEAST_PREFIX} letters at least")
        if words:
            terms.append(Term(words, is_prefix))
    if not terms:
        raise ValueError("give a word: letters or digits")
    return WordQuery(tuple(dict.fromkeys(terms)))


def index_words_of(*texts: str | None) -> set[str]:
    """Return what an index holds of some texts: each word once; of what runs together, each two letters."""
    found: set[str] = set()
    for text in texts:
        if not text:
            continue
        if text.isascii():
            found.update(_ASCII_WORD.findall(text.lower()))
            continue
        for word in set(_words(text)):
            found.update(_pairs(word) if _IS_RUNNING.match(word) else (word,))
    return {word[:_LONGEST] for word in found}


def snippet_of(query: WordQuery, text: str | None) -> str | None:
    """Return the part of a text where the first of the terms stands that it holds, None where it holds none."""
    if not text:
        return None
    words, starts, ends = [], [], []
    for found in _WORD.finditer(text):
        for word in _words(found.group()):
            words.append(word)
            starts.append(found.start())
            ends.append(found.end())
    folded = f" {' '.join(words)} "
    places = [place for term in query.terms if (place := folded.find(term.needle)) >= 0]
    if not places:
        return None
    # As many blanks stand before the word as words: that of the needle itself among them.
    number = folded.count(" ", 0, min(places) + 1) - 1
    return _cut(text, starts[number], ends[number])


def _cut(text: str, start: int, end: int) -> str:
    first = max(0, start - _SNIPPET // 2)
    last = min(len(text), max(end, first + _SNIPPET))
    # Not within a word, unless it is a very long one.
    if first:
        blank = text.find(" ", first, start)
        first = blank + 1 if blank >= 0 else first
    if last < len(text):
        blank = text.rfind(" ", end, last)
        last = blank if blank >= 0 else last
    last = min(last, first + 2 * _SNIPPET)
    middle = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{middle}{'…' if last < len(text) else ''}"


def _folded(text: str) -> str:
    """Return a text's words with a blank before and behind each."""
    return f" {' '.join(_words(text))} "


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    parts = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    return _WORD.findall(parts.casefold())


def _pairs(word: str) -> Iterator[str]:
    """Yield each letter with the one behind it, and the last alone: so each begins an entry of the index."""
    yield from (word[place : place + 2] for place in range(len(word) - 1))
    yield word[-1]
