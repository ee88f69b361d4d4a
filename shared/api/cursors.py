"""Places in lists <-> opaque cursors: base64url of a JSON array of strings, the first of which tells the question."""

import base64
import binascii
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import orjson

from shared.domain.values import utc
from shared.errors import InvalidRequestError
from shared.questions import ListKey
from shared.stores.capacity_ports import CapacityKey
from shared.stores.price_ports import DeploymentKey, PriceKey, ReservationKey

__all__ = [
    "access_key",
    "assignment_key",
    "capacity_key",
    "deployment_key",
    "line_cursor",
    "line_key",
    "list_cursor",
    "list_key",
    "moving_cursor",
    "moving_key",
    "name_key",
    "price_key",
    "reservation_key",
    "usage_cursor",
    "usage_key",
    "version_key",
]

_LINE_KEYS: Final = 14
_PRICE: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,12})?", re.ASCII)
_LONGEST: Final = 4_096
_LONGEST_NUMBER: Final = 9
_MOST_GIVEN: Final = 20
"""Ids that a cursor holds beside its place."""
_LONGEST_PART: Final = 256
"""Longer than any id or dimension; the driver of Azure SQL refuses a key of some thousands."""


def list_cursor(key: ListKey | None, question: str) -> str | None:
    """Return the cursor of a place in the list by time that answers `question`."""
    return None if key is None else _encode(question, key)


def list_key(cursor: str | None, question: str) -> ListKey | None:
    """Return the place that a cursor of `list_cursor` names.

    Raises:
        InvalidRequestError: it names none, or one in the answer to another question.
    """
    if cursor is None:
        return None
    parts = _decode(cursor, question, 2)
    return ListKey(_time(parts[0]), parts[1])


def moving_cursor(key: ListKey | None, question: str, given: Sequence[str]) -> str | None:
    """Return the cursor of a place in a list by time, with the ids of items `given` that may move to a later page."""
    return None if key is None else _encode(question, [*key, *given[-_MOST_GIVEN:]])


def moving_key(cursor: str | None, question: str) -> tuple[ListKey | None, tuple[str, ...]]:
    """Return the place that a cursor of `moving_cursor` names, and the ids in it.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None, ()
    time, identifier, *given = _decode(cursor, question, 2, more=_MOST_GIVEN)
    return ListKey(_time(time), identifier), tuple(given)


def access_key(cursor: str | None, question: str) -> ListKey | None:
    """Return the place in the access log that a cursor of `list_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    key = list_key(cursor, question)
    return None if key is None else ListKey(key.moment, str(_number(key.id)))


def usage_cursor(key: Sequence[str] | None, question: str) -> str | None:
    """Return the cursor of a place in the list of groups that answers `question`."""
    return None if key is None else _encode(question, key)


def usage_key(cursor: str | None, question: str, *, dimensions: int, timed: bool) -> tuple[str, ...] | None:
    """Return the place that a cursor of `usage_cursor` names.

    Args:
        cursor: as the caller sent it.
        question: of this request.
        dimensions: how many dimensions the groups have.
        timed: whether an interval start stands before them.

    Raises:
        InvalidRequestError: it names none, or one in the answer to another question.
    """
    if cursor is None:
        return None
    parts = _decode(cursor, question, dimensions + timed)
    return (_time(parts[0]), *parts[1:]) if timed else tuple(parts)


def price_key(cursor: str | None, question: str) -> PriceKey | None:
    """Return the place in the list of prices that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None
    *where, above, valid_from, own = _decode(cursor, question, 10)
    model, unit, variant, scope, tier, version, region = where
    if own not in {"0", "1"}:
        raise _bad()
    at = _time(valid_from)
    return (model, unit, variant, scope, tier, version, region, _number(above), at, own == "1")


def deployment_key(cursor: str | None, question: str) -> DeploymentKey | None:
    """Return the place in the list of deployments that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None
    name, host, valid_from = _decode(cursor, question, 3)
    return (name, host, _time(valid_from))


def assignment_key(cursor: str | None, question: str) -> tuple[str, ...] | None:
    """Return the place in the list of assignments that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None
    *caller, valid_from = _decode(cursor, question, 4)
    return (*caller, _time(valid_from))


def name_key(cursor: str | None, question: str) -> str | None:
    """Return the name that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    return None if cursor is None else _decode(cursor, question, 1)[0]


def reservation_key(cursor: str | None, question: str) -> ReservationKey | None:
    """Return the place in the list of reservations that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None
    deployment, host, kind, valid_from = _decode(cursor, question, 4)
    return (deployment, host, kind, _time(valid_from))


def capacity_key(cursor: str | None, question: str) -> CapacityKey | None:
    """Return the place in the list of hours that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    if cursor is None:
        return None
    hour, host, deployment, kind = _decode(cursor, question, 4)
    return (_time(hour), host, deployment, kind)


def version_key(cursor: str | None, question: str) -> int | None:
    """Return the number that a cursor of `usage_cursor` names.

    Raises:
        InvalidRequestError: as above.
    """
    return None if cursor is None else _number(_decode(cursor, question, 1)[0])


def _number(part: str) -> int:
    if not (part.isascii() and part.isdigit() and len(part) <= _LONGEST_NUMBER):
        raise _bad()
    return int(part)


def line_cursor(key: tuple[Any, ...], question: str) -> str:
    """Return the cursor of a place in a month's cost lines: texts, and a price at the end."""
    return _encode(question, [*key[:-1], f"{key[-1]:f}"])


def line_key(cursor: str | None, question: str) -> tuple[Any, ...] | None:
    """Return the place that a cursor of `line_cursor` names.

    Raises:
        InvalidRequestError: it names none, or one in the answer to another question.
    """
    if cursor is None:
        return None
    day, *texts, price = _decode(cursor, question, _LINE_KEYS)
    if not _PRICE.fullmatch(price):
        raise _bad()
    return (_time(day), *texts, Decimal(price))


def _encode(question: str, key: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([question, *key])).decode().rstrip("=")


def _decode(cursor: str, question: str, length: int, *, more: int = 0) -> list[str]:
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise _bad()
    try:
        # Strict: Python's urlsafe_b64decode passes over letters that are no base64.
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = orjson.loads(data)
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise _bad() from error
    if not isinstance(parts, list) or not all(isinstance(part, str) and len(part) <= _LONGEST_PART for part in parts):
        raise _bad()
    if parts[:1] != [question] or not length < len(parts) <= 1 + length + more:
        raise _bad()
    return parts[1:]


def _time(part: str) -> str:
    # Anything but the canonical form would be compared wrongly, or be refused by the driver.
    if utc(part) != part:
        raise _bad()
    return part


def _bad() -> InvalidRequestError:
    return InvalidRequestError("cursor", "use the nextCursor of an answer to the same question")
