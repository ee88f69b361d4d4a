"""Filter results of many chunks -> one object, as an answer in one piece has it."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json

__all__ = ["add_new", "merge_results"]

_SEVERITIES: Final = ("safe", "low", "medium", "high")
_FEW: Final = 64
"""More entries than this are not searched for repeats."""


def merge_results(merged: dict[str, Json], results: Json) -> None:
    """Add `results`: any `true` wins, and the highest severity.

    Source: event formats, sections 7.2 and 9.2.
    """
    if not isinstance(results, dict):
        return
    for name, result in results.items():
        known = merged.get(name)
        if isinstance(known, dict) and isinstance(result, dict):
            _merge_category(known, result)
        elif isinstance(known, list) and isinstance(result, list):
            add_new(known, result)
        elif not known:
            merged[name] = result.copy() if isinstance(result, dict | list) else result


def add_new(known: list[Json], told: list[Json]) -> None:
    """Add the entries that `known` does not have."""
    for entry in told:
        if len(known) > _FEW or entry not in known:
            known.append(entry)


def _merge_category(known: dict[str, Json], result: Mapping[str, Json]) -> None:
    for key, value in result.items():
        before = known.get(key)
        if before is None or value is True:
            known[key] = value
        elif key == "severity" and value in _SEVERITIES and before in _SEVERITIES:
            known[key] = max(before, value, key=_SEVERITIES.index)
