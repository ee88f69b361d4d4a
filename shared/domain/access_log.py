"""Who read what, and who acted on what: entries of the access log."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import orjson

from shared.domain.reach import Reach
from shared.domain.values import text

__all__ = ["AccessEntry", "AccessResult", "Reader", "entry_of", "interactions_in"]

_MOST_IDS: Final = 100
"""Interactions of one answer that are named one by one."""
_MOST_SUBJECT: Final = 1024


class AccessResult(StrEnum):
    """What became of it."""

    DONE = "done"
    REFUSED = "refused"
    NOT_FOUND = "not-found"


class Reader(NamedTuple):
    """Somebody who may see content or act, and the route that leads there."""

    id: str
    """By which they are known."""
    route: str
    name: str | None = None
    """What they call themselves, where that is another thing."""
    roles: frozenset[str] = frozenset()
    app_id: str | None = None
    purpose: str | None = None
    """As they state it."""
    request_id: str | None = None
    reaches: tuple[Reach, ...] = ()
    """To which calls the role for content extends; empty: to all."""


class AccessEntry(NamedTuple):
    """One line of the log, as it is kept: nothing is ever changed or removed."""

    read_at: str
    reader: str
    reader_name: str | None
    app_id: str | None
    roles: str
    route: str
    subject: str
    """The interaction's id, the filter, or what was asked for."""
    purpose: str | None
    row_count: int | None
    interactions: str | None
    """JSON: `ids`, or of a large answer `first`, `last`, `count` and `sha256` of all ids, a line each."""
    request_id: str | None
    result: str


def entry_of(
    reader: Reader,
    subject: str,
    *,
    at: str,
    ids: Sequence[str] | None = None,
    rows: int | None = None,
    result: AccessResult = AccessResult.DONE,
) -> AccessEntry:
    """Return the entry of an answer.

    Args:
        reader: who gets it.
        subject: what it is about.
        at: when, canonical UTC.
        ids: of the interactions in it, in its order; None where it is not about interactions.
        rows: how many rows are in it, where `ids` does not say; None where nobody counted.
        result: what became of the question.
    """
    return AccessEntry(
        read_at=at,
        reader=text(reader.id, 256) or "?",
        reader_name=reader.name and text(reader.name, 256),
        app_id=reader.app_id and text(reader.app_id, 64),
        roles=",".join(sorted(reader.roles)),
        route=reader.route[:64],
        subject=text(subject, _MOST_SUBJECT) or "?",
        purpose=reader.purpose,
        row_count=rows if ids is None else len(ids),
        interactions=None if ids is None else interactions_in(ids),
        request_id=reader.request_id,
        result=result.value,
    )


def interactions_in(ids: Sequence[str]) -> str:
    """Return which interactions an answer holds, as `AccessEntry.interactions` has it."""
    if len(ids) <= _MOST_IDS:
        return orjson.dumps({"ids": list(ids)}).decode()
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    return orjson.dumps({"first": ids[0], "last": ids[-1], "count": len(ids), "sha256": digest}).decode()
