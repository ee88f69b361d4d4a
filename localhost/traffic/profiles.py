"""The article's three profiles: an hour of conversations of 1,000 tokens each, as many as an average hour of a month.

Source: https://learn.microsoft.com/azure/architecture/ai-ml/openai/architecture/log-monitor-azure-openai, "Cost
optimization": 10,000, 100,000 and 10 million documents of about 1,000 tokens a month.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from localhost.event_file import FileEvent
from localhost.traffic import native
from localhost.traffic.calls import Call, Sent, a_chat
from localhost.traffic.dice import Dice
from localhost.traffic.mix import DEFAULT_START, with_positions, within_hour

__all__ = ["HOURS", "MONTHLY", "a_profile_hour"]

MONTHLY: Final = {"small": 10_000, "medium": 100_000, "large": 10_000_000}
"""Conversations a month."""
HOURS: Final = 730
"""Of a month, on average."""
_PROMPT: Final = 700
_COMPLETION: Final = 300
"""Tokens of a conversation; none of them cached."""


def a_profile_hour(profile: str, seed: int, start: datetime = DEFAULT_START) -> Iterator[FileEvent]:
    """Return the events of an average hour of a profile, two of each conversation; equal arguments, equal events."""
    number = round(MONTHLY[profile] / HOURS)
    dice, first = Dice(seed), int(start.timestamp()) * 1000
    sent = (one for place in range(number) for one in _conversation(dice, first + within_hour(place / number)))
    return with_positions(iter(sorted(sent, key=lambda one: one.at)))


def _conversation(dice: Dice, started_at: int) -> list[Sent]:
    call: Call = a_chat(dice, started_at)
    call.response["usage"] |= {
        "prompt_tokens": _PROMPT,
        "completion_tokens": _COMPLETION,
        "total_tokens": _PROMPT + _COMPLETION,
    }
    return native.both_parts(call, dice)
