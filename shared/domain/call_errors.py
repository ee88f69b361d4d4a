"""When a call counts as an error: one definition, for the API, the rollups and the analysts' questions.

The stores make their SQL from `SIGNS`. The texts in `sql/` say it in their own words; tests run rows through each.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from shared.domain.interaction import State

__all__ = ["SIGNS", "Sign", "Test", "is_error", "is_error_status"]


class Test(Enum):
    """What tells an error of a column's value; null tells none."""

    OUTSIDE = "outside a range"
    KNOWN = "told"
    TRUE = "true"
    ONE_OF = "one of some words"


class Sign(NamedTuple):
    """One thing that makes a call an error."""

    column: str
    test: Test
    values: tuple[Any, ...] = ()
    """Of a range: its first value, and the first behind it. Else the words."""


_ANSWERED: Final = (100, 400)
"""From 400 on HTTP tells an error. API Management logs 0 where the caller left before there was an answer."""

SIGNS: Final = (
    Sign("http_status", Test.OUTSIDE, _ANSWERED),
    Sign("error_code", Test.KNOWN),
    Sign("gateway_refused", Test.TRUE),
    # A stream that broke may have said so in a message alone, which analysts without texts may not read.
    Sign("state", Test.ONE_OF, (State.FAILED.value, State.REFUSED.value)),
)
"""Each of them is enough."""

_HOLDS: Final[Mapping[Test, Callable[[Any, tuple[Any, ...]], bool]]] = {
    Test.OUTSIDE: lambda value, values: not values[0] <= value < values[1],
    Test.KNOWN: lambda _value, _values: True,
    Test.TRUE: lambda value, _values: bool(value),
    Test.ONE_OF: lambda value, values: value in values,
}


def is_error(row: Mapping[str, Any]) -> bool:
    """Return whether an interaction counts as an error: it failed, after a 200 too, was refused, or was left."""
    told = ((row.get(sign.column), sign) for sign in SIGNS)
    return any(_HOLDS[sign.test](value, sign.values) for value, sign in told if value is not None)


def is_error_status(status: int | None) -> bool:
    """Return whether an HTTP status tells an error; an unknown one tells none."""
    return status is not None and _HOLDS[Test.OUTSIDE](status, _ANSWERED)
