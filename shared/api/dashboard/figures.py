"""Numbers, times and texts as pages show them: the rules are in docs/dashboard.md."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

__all__ = ["Run", "ago", "change", "grouped", "moment", "money", "runs", "short_id", "tokens"]

_THIN: Final = "\N{NARROW NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
_MILLION: Final = 1_000_000
_SHORT: Final = 14
"""Letters of an id that are shown whole."""
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What acts on the text around it, or cannot be sent: shown by its number instead."""


class Run(NamedTuple):
    """Part of a text: letters as they are, or the number of one that must not act."""

    text: str
    is_control: bool


def grouped(number: int | Decimal | None) -> str:
    """Return a number in groups of three; a word where it is unknown."""
    if number is None:
        return "unknown"
    return f"{number:,}".replace(",", _THIN).replace("-", _MINUS)


def tokens(number: int | None) -> str:
    """Return tokens, in millions from a million on."""
    if number is None or number < _MILLION:
        return grouped(number)
    return f"{grouped(Decimal(number // 10_000) / 100)}{_THIN}M"


def money(amount: Decimal | None, currency: str | None, places: int = 2) -> str:
    """Return an amount with its currency; what is above nothing and rounds to it says so."""
    if amount is None:
        return "unknown"
    step = Decimal(1).scaleb(-places)
    rounded = amount.quantize(step)
    sign = "< " if rounded == 0 and amount > 0 else ""
    return f"{currency or ''}{_THIN}{sign}{grouped(step if sign else rounded)}".strip(_THIN)


def change(now: int | Decimal, before: int | Decimal) -> str:
    """Return how much more or less there is than before, as a percentage and a word."""
    if before == now:
        return "no change"
    if before == 0:
        return "new"
    percent = (Decimal(now) - Decimal(before)) * 100 / abs(Decimal(before))
    shown = f"{abs(percent):.1f}{_THIN}%"
    return f"+{shown} more" if percent > 0 else f"{_MINUS}{shown} less"


def moment(value: str | None) -> str:
    """Return a canonical time as `2026-03-02 09:30:00`, in UTC."""
    return "unknown" if value is None else value[:19].replace("T", " ")


def ago(value: str, now: datetime) -> str:
    """Return how long before `now` a canonical time was."""
    seconds = max(0, int((now - datetime.fromisoformat(value)).total_seconds()))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{grouped(seconds // size)}{_THIN}{unit}"
    return f"{seconds}{_THIN}s"


def short_id(value: str) -> str:
    """Return the beginning and the end of a long id."""
    return value if len(value) <= _SHORT else f"{value[:4]}\N{HORIZONTAL ELLIPSIS}{value[-6:]}"


def runs(text: str) -> list[Run]:
    """Return a text in parts: marks of control and of direction stand alone, by their numbers."""
    parts: list[Run] = []
    end = 0
    for found in _CONTROLS.finditer(text):
        if found.start() > end:
            parts.append(Run(text[end : found.start()], is_control=False))
        parts.append(Run(f"U+{ord(found[0]):04X}", is_control=True))
        end = found.end()
    if end < len(text):
        parts.append(Run(text[end:], is_control=False))
    return parts
