"""What the content filter found: which category, on which side, how severely, and whether it acted.

A verdict is a word, or two: a severity above safe for the harms, `detected` for the rest; then
`filtered`, when the filter acted on it. What was found safe has none: most calls, for which nothing is stored.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = [
    "CATEGORIES",
    "FILTER_MEASURES",
    "HARMS",
    "SEVERITIES",
    "SIDES",
    "VERDICTS",
    "Verdict",
    "fields_of",
    "texts_of",
]

SIDES: Final = ("prompt", "completion")
SEVERITIES: Final = ("low", "medium", "high")
"""Ascending; `safe` is no finding."""


class Verdict(NamedTuple):
    """A field of the interaction that holds a verdict."""

    field: str
    side: str
    category: str
    """As the audit API names it."""
    member: str
    """As the annotations name it."""


def _both(name: str, member: str) -> tuple[Verdict, ...]:
    return tuple(Verdict(f"filter_{side}_{name}", side, name, member) for side in SIDES)


HARMS: Final = ("hate", "sexual", "violence", "self_harm")
"""The categories that have a severity."""
VERDICTS: Final = (
    *(verdict for harm in HARMS for verdict in _both(harm, harm)),
    *_both("profanity", "profanity"),
    *_both("blocklist", "custom_blocklists"),
    Verdict("filter_jailbreak", "prompt", "jailbreak", "jailbreak"),
    Verdict("filter_indirect_attack", "prompt", "indirect_attack", "indirect_attack"),
    Verdict("filter_protected_text", "completion", "protected_material_text", "protected_material_text"),
    Verdict("filter_protected_code", "completion", "protected_material_code", "protected_material_code"),
)
FILTER_MEASURES: Final = (
    "filtered_requests",
    "prompt_filtered",
    "completion_filtered",
    "jailbreaks",
    "indirect_attacks",
    "protected_material",
    "blocklisted",
)
"""What usage counts of them: calls in which the filter acted, then calls with a finding of a kind."""
CATEGORIES: Final = tuple(dict.fromkeys(verdict.category for verdict in VERDICTS))

_FINDINGS: Final = ("detected", *SEVERITIES)
_ACTED: Final = "filtered"


def fields_of(*, category: str | None = None, side: str | None = None) -> list[str]:
    """Return the fields with the verdicts of a category, on a side; of all where they are None."""
    return [one.field for one in VERDICTS if category in (None, one.category) and side in (None, one.side)]


def texts_of(*, severity: str | None = None) -> list[str]:
    """Return every verdict, or those of at least a severity."""
    if severity is None:
        return [_ACTED, *_with_acted(_FINDINGS)]
    return _with_acted(SEVERITIES[SEVERITIES.index(severity) :])


def _with_acted(findings: Iterable[str]) -> list[str]:
    return [text for finding in findings for text in (finding, f"{finding} {_ACTED}")]
