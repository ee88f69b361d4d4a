"""An interaction's documents -> its texts and bodies, the best witness first."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from shared import operations
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import FIELDS
from shared.domain.piece_keys import is_piece
from shared.domain.pieces import beginnings
from shared.domain.redaction import redacted
from shared.errors import EventError
from shared.sources import read_event, salvage_pieces
from shared.stores.ports import ContentDocument

__all__ = ["best_content", "mentions", "salvaged_pieces"]

logger = logging.getLogger(__name__)

_PRECEDENCE: Final = {field.name: field.precedence for field in FIELDS}
_SLOTS: Final = {
    "prompt": _PRECEDENCE["prompt_preview"],
    "request": _PRECEDENCE["prompt_preview"],
    "completion": _PRECEDENCE["completion_preview"],
    "response": _PRECEDENCE["completion_preview"],
}
"""Slot -> evidence codes, best first: the same order by which the previews were chosen."""
_OF_A_TEXT: Final = ("operation", "http_status")
"""What tells whether an answer that is only a text is what the model said."""


def best_content(interaction_id: str, documents: Sequence[ContentDocument], occurred_at: str) -> Content:
    """Return what the documents say of one interaction; None in a slot that none of them fills.

    A text that is whole stands above one that was cut off, whosever it is.

    Args:
        interaction_id: the interaction; what a document says of others is passed over.
        documents: ordered by their key, which settles a tie between equal witnesses.
        occurred_at: when it happened, for sources whose events carry no time of their own.
    """
    ranks: dict[str, int] = {}
    best: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for fragment in _fragments(documents, occurred_at):
        if fragment.interaction_id != interaction_id:
            continue
        told.update({name: fragment.facts[name] for name in _OF_A_TEXT if name in fragment.facts})
        for slot, codes in _SLOTS.items():
            value = getattr(fragment.content, slot)
            rank = codes.find(fragment.code) if fragment.code in codes else len(codes)
            if fragment.facts.get("truncated"):
                rank += len(codes) + 1
            if value is not None and rank < ranks.get(slot, 2 * len(codes) + 2):
                ranks[slot], best[slot] = rank, value
    if "completion" not in best and isinstance(best.get("response"), str):
        # An answer without a path did not know what its text was: the request does.
        operation, status = told.get("operation"), told.get("http_status")
        best["completion"] = operations.read_response(best["response"], operation=operation, status=status).text
    return _without_secrets(Content(**best))


def _without_secrets(content: Content) -> Content:
    """Return what is shown: a secret may have stood in many events of a stream, and be whole only here."""
    written = orjson.dumps(content._asdict())
    clean = redacted(written)
    return content if clean is written else Content(**orjson.loads(clean))


def mentions(content: Content, words: Sequence[str]) -> bool:
    """Return whether every word, given in folded case, occurs in the prompt or the completion."""
    text = f"{content.prompt or ''}\n{content.completion or ''}".casefold()
    return all(word in text for word in words)


def _fragments(documents: Sequence[ContentDocument], occurred_at: str) -> Iterator[Fragment]:
    for document in documents:
        try:
            yield from read_event(document.body, occurred_at).fragments
        except EventError:
            # It was understood when it was kept: a newer parser must not make the rest unreadable.
            logger.warning("content.unreadable interaction=%s document=%s", document.interaction_id, document.document)
    yield from salvaged_pieces(documents)


def salvaged_pieces(documents: Sequence[ContentDocument], parts: Iterable[str] | None = None) -> Iterator[Fragment]:
    """Yield what pieces among one interaction's documents say as far as they are whole, though others are missing.

    Args:
        documents: of the interaction.
        parts: of it, which say which pieces were joined; without them all pieces count as waiting.
    """
    pieces = {document.document: document.body for document in documents if is_piece(document.document)}
    for keys in beginnings(pieces if parts is None else parts):
        fragment = salvage_pieces(keys, pieces)
        if fragment is not None:
            yield fragment
