"""Formats that we know but cannot read: their quarantine says which they are."""

import re
from typing import Final

from shared.domain.values import Json
from shared.errors import EventError
from shared.sources.record import Reading, Record, Source

__all__ = ["SOURCE", "refuse_text"]

_CHUNK: Final = frozenset({"chunkIndex", "chunkTotal", "payload"})
_COMMA_TEXT: Final = re.compile(
    rb"[^,{\[\r\n]{6,40},[^,\r\n]{1,128},[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12},[0-9A-Fa-f.:]{3,45},"
)


def _recognises(event: dict[str, Json]) -> bool:
    return event.keys() >= _CHUNK


def _read(_record: Record) -> Reading:
    raise EventError("not supported: the chunks of a laboratory's own policy, whose whole nobody has described")


def refuse_text(body: bytes) -> None:
    """Return if `body` is not the comma-joined text of API Management's policy reference.

    Raises:
        EventError: it is. Its parts are not quoted and may hold commas themselves: none of them is
            certain.
    """
    if _COMMA_TEXT.match(body):
        raise EventError("not supported: comma-joined text of the API Management documentation, which quotes nothing")


SOURCE: Final = Source((), _recognises, _read)
