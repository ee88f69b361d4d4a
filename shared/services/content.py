"""An interaction's documents -> its texts and bodies, the best record first."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from shared import operations
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Aspect
from shared.domain.reassembly.chunks import Reassembly
from shared.domain.reassembly.keys import is_chunk
from shared.domain.redaction import redacted
from shared.errors import EventError
from shared.sources import RECORD_TYPES, read_event, salvage_chunks
from shared.stores.ports import ContentDocument

__all__ = ["best_content", "salvage"]

logger = logging.getLogger(__name__)

_SLOTS: Final = {
    "prompt": Aspect.PROMPT,
    "request": Aspect.PROMPT,
    "completion": Aspect.GENERAL,
    "response": Aspect.GENERAL,
}
"""Slot -> what it is about: its records rank as those of the previews do."""
_CUT: Final = max(max(one.precedence) for one in RECORD_TYPES.values()) + 1
"""Added to the rank of what was cut off: it stands below all that is complete."""
_OF_A_TEXT: Final = ("operation", "http_status")
"""What decides whether an answer that is only a text is what the model said."""


def best_content(interaction_id: str, documents: Sequence[ContentDocument], occurred_at: str) -> Content:
    """Return what the documents say of one interaction; None in a slot that none of them fills.

    A complete text stands above one that was cut off, whosever it is.

    Args:
        interaction_id: the interaction; what a document says of others is passed over.
        documents: ordered by their key, which settles a tie between records of one type.
        occurred_at: when it happened, for sources whose events carry no time of their own.
    """
    ranks: dict[str, int] = {}
    best: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for fragment in _fragments(documents, occurred_at):
        if fragment.interaction_id != interaction_id:
            continue
        facts.update({name: fragment.facts[name] for name in _OF_A_TEXT if name in fragment.facts})
        for slot, aspect in _SLOTS.items():
            value = getattr(fragment.content, slot)
            if value is None:
                continue
            rank = fragment.record_type.precedence.of(aspect) + (_CUT if fragment.facts.get("truncated") else 0)
            if slot not in ranks or rank < ranks[slot]:
                ranks[slot], best[slot] = rank, value
    if "completion" not in best and isinstance(best.get("response"), str):
        # An answer without a path did not know what its text was: the request does.
        operation, status = facts.get("operation"), facts.get("http_status")
        best["completion"] = operations.read_response(best["response"], operation=operation, status=status).text
    return _without_secrets(Content(**best))


def _without_secrets(content: Content) -> Content:
    """Return what is shown: a secret may have stood in many events of a stream, and be whole only here."""
    written = orjson.dumps(content._asdict())
    clean = redacted(written)
    return content if clean is written else Content(**orjson.loads(clean))


def _fragments(documents: Sequence[ContentDocument], occurred_at: str) -> Iterator[Fragment]:
    for document in documents:
        try:
            yield from read_event(document.body, occurred_at).fragments
        except EventError:
            # It was understood when it was kept: a newer parser must not make the rest unreadable.
            logger.warning("content.unreadable interaction=%s document=%s", document.interaction_id, document.document)
    yield from salvage(documents)


def salvage(documents: Sequence[ContentDocument], parts: Iterable[str] | None = None) -> Iterator[Fragment]:
    """Yield what chunks among one interaction's documents say as far as they are complete, though others are missing.

    Args:
        documents: of the interaction.
        parts: of it, which say which chunks were joined; without them all chunks count as waiting.
    """
    chunks = {document.document: document.body for document in documents if is_chunk(document.document)}
    for keys in Reassembly(chunks if parts is None else parts).beginnings:
        fragment = salvage_chunks(keys, chunks)
        if fragment is not None:
            yield fragment
