"""What the sections of `make bench` find: figures, each with its goal."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Figure", "most_of", "of_times", "read", "show", "written"]


class Figure(NamedTuple):
    """One thing that was measured."""

    name: str
    most: float
    """What 95 of 100 stay within; or the one value, where it is none of many."""
    half: float | None = None
    """What half of them stay within."""
    unit: str = "ms"
    goal: float | None = None
    """The most that it should be; None where it is shown alone."""

    @property
    def verdict(self) -> str:
        """Return whether the goal was met."""
        return "" if self.goal is None else "met" if self.most <= self.goal else "MISSED"


def of_times(name: str, times: Iterable[float], *, unit: str = "ms", goal: float | None = None) -> Figure:
    """Return the figure of many values."""
    ordered = sorted(times)
    return Figure(name, most_of(ordered), statistics.median(ordered), unit, goal)


def most_of(times: Sequence[float]) -> float:
    """Return what 95 of 100 stay within."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]


def written(found: Mapping[str, Sequence[Figure]]) -> dict[str, Any]:
    """Return figures by section as JSON keeps them."""
    return {section: [one._asdict() for one in figures] for section, figures in found.items()}


def read(path: Path) -> dict[tuple[str, str], Figure]:
    """Return the figures of a file by section and name."""
    found = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return {(section, one["name"]): Figure(**one) for section, some in found.items() for one in some}


def show(found: Mapping[str, Sequence[Figure]], before: Mapping[tuple[str, str], Figure]) -> None:
    """Print each figure beside its goal, and what it was before where that is known."""
    print(f"\n{'':72}{'half':>10}{'most':>11}    {'goal':>7} {'':6}", f"{'before':>10}{'times':>7}" if before else "")
    for section, figures in found.items():
        for one in figures:
            half = "" if one.half is None else f"{one.half:,.1f}"
            goal = "" if one.goal is None else f"{one.goal:,g}"
            line = f"{section + ': ' + one.name:72}{half:>10}{one.most:11,.2f} {one.unit:3}{goal:>7} {one.verdict:6}"
            old = before.get((section, one.name))
            if old is not None:
                line += f" {old.most:10,.2f}" + (f"{one.most / old.most:7.2f}" if old.most else "")
            print(line.rstrip())
    judged = [one for figures in found.values() for one in figures if one.goal is not None]
    missed = sum(one.verdict == "MISSED" for one in judged)
    print(f"{len(judged)} figures have a goal: {len(judged) - missed} met, {missed} missed")
