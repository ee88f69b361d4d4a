"""Leave to read texts for one case: asked for by a reader, given by a second person, for some hours."""

from typing import NamedTuple

__all__ = ["Grant"]


class Grant(NamedTuple):
    """One grant; it counts from when it is given until it ends."""

    id: str
    case_id: str
    """As the reader states it in `X-Case-Id`."""
    reader: str
    """Object id of who may read."""
    reason: str
    hours: int
    wanted_by: str
    """Who asked for it: id, and name behind it."""
    wanted_at: str
    given_by: str | None = None
    given_at: str | None = None
    valid_to: str | None = None
    """Exclusive."""
    ended_by: str | None = None
    ended_at: str | None = None
