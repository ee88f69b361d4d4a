"""Assignments with one thing changed."""

from typing import Any

from shared.domain.values import NO_TIME
from shared.pricing.payers import Assignment, Matched

__all__ = ["an_assignment"]


def an_assignment(value: str = "sub-1", team: str = "red", **changes: Any) -> Assignment:
    """Return that a team pays for a subscription's calls, since ever."""
    usual: dict[str, Any] = {
        "matched": Matched.SUBSCRIPTION,
        "name": "",
        "cost_centre": "4711",
        "valid_from": NO_TIME,
        "valid_to": None,
    }
    return Assignment(value=value, team=team, **usual | changes)
