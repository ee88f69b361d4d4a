"""Filter results of many chunks -> one object, as an answer in one piece has it."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json

__all__ = ["merge_results"]

_SEVERITIES: Final = ("safe", "low", "medium", "high")


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
            known.extend(entry for entry in result if entry not in known)
        elif not known:
            merged[name] = dict(result) if isinstance(result, dict) else result


def _merge_category(known: dict[str, Json], result: Mapping[str, Json]) -> None:
    for key, value in result.items():
        before = known.get(key)
        if before is None or value is True:
            known[key] = value
        elif key == "severity" and value in _SEVERITIES and before in _SEVERITIES:
            known[key] = max(before, value, key=_SEVERITIES.index)
