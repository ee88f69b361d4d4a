"""Stacked bars and running totals as SVG: places only; the template draws them and the table that says the same."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

__all__ = ["Bar", "Chart", "Curve", "Layer", "RunningTotal", "Series", "Tick", "running_total", "stacked"]

_HEIGHT: Final = 500
_STEP: Final = 10
_WIDTH: Final = 8
"""Of a bar, in a step."""
_LABELS: Final = 7
_APART: Final = 8
"""Per cent of the height between two names."""
_NICE: Final = (1, 2, 5, 10)


class Series(NamedTuple):
    """One thing's numbers over time."""

    name: str
    values: Sequence[Decimal]
    """One an interval."""
    href: str | None = None


class Layer(NamedTuple):
    """A series as drawn."""

    name: str
    css: str
    path: str
    total: Decimal
    values: Sequence[Decimal]
    href: str | None


class Tick(NamedTuple):
    """A line of the grid, or a label below."""

    place: str
    """Per cent."""
    value: Decimal | str


class Bar(NamedTuple):
    """The place over one interval that leads to its calls."""

    place: str
    width: str
    start: str
    href: str
    total: Decimal


class Chart(NamedTuple):
    """Everything that is drawn."""

    width: int
    height: int
    layers: list[Layer]
    ticks: list[Tick]
    labels: list[Tick]
    bars: list[Bar]


class Curve(NamedTuple):
    """A running total: before the first interval, and at the end of each."""

    css: str
    name: str
    values: Sequence[Decimal]


class RunningTotal(NamedTuple):
    """Everything that is drawn of running totals."""

    width: int
    height: int
    curves: list[tuple[str, str]]
    """Class and points; the first one's `area` lies under it."""
    area: str
    ahead: str | None
    """Points of the forecast."""
    limit: str | None
    """How high the budget stands."""
    ticks: list[Tick]
    labels: list[Tick]
    ends: list[Tick]
    """Names of the lines, where they end."""
    bars: list[Bar]


def running_total(
    curves: Sequence[Curve],
    starts: Sequence[str],
    hrefs: Sequence[str],
    *,
    forecast: Decimal | None = None,
    limit: Decimal | None = None,
) -> RunningTotal:
    """Return lines that rise from interval to interval.

    Args:
        curves: the one that the picture is about first; it may end before the last interval.
        starts: of all intervals, canonical UTC.
        hrefs: where an interval leads.
        forecast: where the first line will end.
        limit: what it should not exceed.
    """
    first = curves[0].values
    known = [value for curve in curves for value in curve.values] + [one for one in (forecast, limit) if one]
    top = _top(max(known))
    width = len(starts) * _STEP
    drawn = [(curve.css, _line(curve.values[: len(starts) + 1], top)) for curve in curves]
    last_x, last_y = (len(first) - 1) * _STEP, _high(first[-1], top)
    named = [(curve.values[: len(starts) + 1][-1], curve.name) for curve in curves]
    named += [(value, name) for value, name in ((forecast, "forecast"), (limit, "budget")) if value is not None]
    share = Decimal(100) / len(starts)
    bars = [
        Bar(f"{share * place:.2f}%", f"{share:.2f}%", start, hrefs[place], total)
        for place, (start, total) in enumerate(zip(starts, first[1:], strict=False))
    ]
    return RunningTotal(
        width,
        _HEIGHT,
        drawn,
        f"{drawn[0][1]} {last_x},{_HEIGHT} 0,{_HEIGHT}",
        None if forecast is None else f"{last_x},{last_y} {width},{_high(forecast, top)}",
        None if limit is None else _high(limit, top),
        [Tick(f"{100 - 25 * step}%", top * step / 4) for step in range(5)],
        [Tick(f"{share * place + share / 2:.2f}%", starts[place]) for place in range(0, len(starts), 5)],
        _spread(named, top),
        bars,
    )


def _high(value: Decimal, top: Decimal) -> str:
    return f"{_HEIGHT - max(value, Decimal(0)) * _HEIGHT / top:.1f}"


def _line(values: Sequence[Decimal], top: Decimal) -> str:
    return " ".join(f"{place * _STEP},{_high(value, top)}" for place, value in enumerate(values))


def _spread(named: Sequence[tuple[Decimal, str]], top: Decimal) -> list[Tick]:
    """Return names at the heights of their values, from the top, so far from each other that none touch."""
    placed: list[Tick] = []
    lowest = Decimal(-_APART)
    for value, name in sorted(named, reverse=True):
        at = max(100 - max(value, Decimal(0)) * 100 / top, lowest + _APART)
        placed.append(Tick(f"{at:.1f}%", name))
        lowest = at
    return placed


def stacked(series: Sequence[Series], starts: Sequence[str], hrefs: Sequence[str], *, others: str = "other") -> Chart:
    """Return bars, one an interval, of which the first series lies at the bottom.

    Args:
        series: the largest first; one named `others` is grey.
        starts: of the intervals, canonical UTC.
        hrefs: where a bar leads.
        others: the name of what is not told apart.
    """
    totals = [sum((one.values[place] for one in series), Decimal(0)) for place in range(len(starts))]
    top = _top(max(totals, default=Decimal(0)))
    floors = [Decimal(0)] * len(starts)
    layers = []
    for number, one in enumerate(series, start=1):
        css = "s0" if one.name == others else f"s{number}"
        layers.append(
            Layer(one.name, css, _path(one.values, floors, top), sum(one.values, Decimal(0)), one.values, one.href)
        )
        floors = [floor + value for floor, value in zip(floors, one.values, strict=True)]
    share = Decimal(100) / max(1, len(starts))
    bars = [
        Bar(f"{share * place:.2f}%", f"{share:.2f}%", start, hrefs[place], totals[place])
        for place, start in enumerate(starts)
    ]
    ticks = [Tick(f"{100 - 25 * step}%", top * step / 4) for step in range(5)]
    every = -(-len(starts) // _LABELS) or 1
    labels = [Tick(bar.place, bar.start) for bar in bars[::every]]
    return Chart(len(starts) * _STEP, _HEIGHT, layers, ticks, labels, bars)


def _top(largest: Decimal) -> Decimal:
    """Return the least of 1, 2, 5 times a power of ten, or 4 of them, that nothing stands above."""
    if largest <= 0:
        return Decimal(4)
    power = Decimal(10) ** largest.adjusted()
    quarter = next(power / 10 * nice for nice in (*_NICE, 20, 25, 50) if power / 10 * nice * 4 >= largest)
    return quarter * 4


def _path(values: Sequence[Decimal], floors: Sequence[Decimal], top: Decimal) -> str:
    parts = []
    for place, (value, floor) in enumerate(zip(values, floors, strict=True)):
        if value > 0:
            height = value * _HEIGHT / top
            bottom = _HEIGHT - floor * _HEIGHT / top
            parts.append(f"M{place * _STEP + 1} {bottom:.1f}h{_WIDTH}v-{height:.1f}h-{_WIDTH}z")
    return "".join(parts)
