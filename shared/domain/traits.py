"""Traits of calls: how long they took, in bands, and how they failed. What rollups count besides the measures.

Bands are those of a sketch with a bounded relative error (docs/adr/0017-bands-of-latency.md): they are added and taken
away like any number of calls.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

__all__ = ["TRAIT_OF", "ErrorCount", "Quantiles", "Spread", "spread_of", "traits_of"]

_GROWTH: Final = 1.1
_LONGEST: Final = 10_000_000
"""Milliseconds; what takes longer is in the last band."""


def _bounds() -> tuple[int, ...]:
    bounds, edge = [0, 1], 1.0
    while bounds[-1] < _LONGEST:
        edge *= _GROWTH
        if int(edge) > bounds[-1]:
            bounds.append(int(edge))
    return tuple(bounds)


_BOUNDS: Final = _bounds()
"""Where each band of milliseconds begins; the next band begins where it ends, at most a tenth above."""
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
"""What an error code looks like; texts in its place are none."""
_OTHER: Final = "(other)"
TRAIT_OF: Final = ("is_error", "http_status", "error_code", "latency_ms", "time_to_first_byte_ms")
"""The fields of an interaction that its traits follow from."""


class Quantiles(NamedTuple):
    """How long calls took, in milliseconds: each at most a twentieth too much or too little."""

    calls: int
    p50: int
    p95: int
    p99: int


class ErrorCount(NamedTuple):
    """Calls that failed alike."""

    http_status: int | None
    code: str | None
    requests: int


class Spread(NamedTuple):
    """What the traits of some calls add up to; None where no call told."""

    latency: Quantiles | None
    first_byte: Quantiles | None
    errors: list[ErrorCount]
    """The most frequent first."""


def traits_of(call: Mapping[str, Any]) -> list[str]:
    """Return the traits of an interaction, of which `TRAIT_OF` is known: of one that failed how, of others how long."""
    if call["is_error"]:
        status, code = call["http_status"], call["error_code"]
        known = "" if code is None else code if _CODE.fullmatch(code) else _OTHER
        return [f"e:{'' if status is None else status}:{known}"]
    timed = (("l", call["latency_ms"]), ("f", call["time_to_first_byte_ms"]))
    return [f"{kind}:{bisect_right(_BOUNDS, value) - 1}" for kind, value in timed if value is not None and value >= 0]


def spread_of(counts: Mapping[str, int]) -> Spread:
    """Return what traits, each with its number of calls, add up to."""
    bands: dict[str, dict[int, int]] = {"l": {}, "f": {}}
    errors = []
    for trait, number in counts.items():
        kind, _, rest = trait.partition(":")
        if kind == "e":
            status, _, code = rest.partition(":")
            errors.append(ErrorCount(int(status) if status else None, code or None, number))
        else:
            bands[kind][int(rest)] = number
    errors.sort(key=lambda one: (-one.requests, one.http_status or 0, one.code or ""))
    return Spread(_quantiles(bands["l"]), _quantiles(bands["f"]), errors)


def _quantiles(bands: Mapping[int, int]) -> Quantiles | None:
    count = sum(bands.values())
    if not count:
        return None
    ordered = sorted(bands.items())
    return Quantiles(count, *(_nearest(ordered, -(-count * percent // 100)) for percent in (50, 95, 99)))


def _nearest(bands: Iterable[tuple[int, int]], rank: int) -> int:
    """Return the middle of the band that the call of this rank is in."""
    band = passed = 0
    for band, number in bands:  # noqa: B007  # the last one that was looked at
        passed += number
        if passed >= rank:
            break
    end = _BOUNDS[band + 1] if band + 1 < len(_BOUNDS) else _BOUNDS[band] + 1
    return (_BOUNDS[band] + end - 1) // 2
