"""Calls that are told on, to whoever speaks OpenTelemetry."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["ForwardMark", "ForwardedCall", "span_id_of", "trace_id_of"]


class ForwardMark(NamedTuple):
    """An interaction that has become complete and was not told on yet."""

    id: int
    interaction_id: str
    marked_at: str


class ForwardedCall(NamedTuple):
    """A call as it is told on."""

    row: Mapping[str, Any]
    """Of the ledger."""
    prompt: str | None = None
    completion: str | None = None


def span_id_of(interaction_id: str) -> int:
    """Return 64 bits that the interaction's id decides, never 0: a repeat has the same."""
    return int.from_bytes(hashlib.sha256(interaction_id.encode()).digest()[:8]) or 1


def trace_id_of(row: Mapping[str, Any]) -> int:
    """Return 128 bits that the call's session decides, or its id: calls of a session are one trace."""
    session = row["session_id"]
    name = f"call {row['id']}" if session is None else f"session {session}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16]) or 1
