"""A small company: its teams, who calls for them, and the deployments they call."""

from dataclasses import dataclass
from typing import Final

from localhost.traffic.dice import Dice

__all__ = ["CHAT", "EMBEDDING", "INSTRUCT", "TEAMS", "Caller", "Deployment", "Team", "a_caller"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model under the name that callers know."""

    name: str
    model: str
    milliseconds_per_token: int


@dataclass(frozen=True, slots=True)
class Team:
    """A team: one API Management subscription."""

    subscription_id: str
    product_id: str
    app_id: str
    region: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a service of a team, at one address."""

    team: Team
    ip: str
    name: str
    object_id: str


CHAT: Final = (
    Deployment("chat", "gpt-4o-2024-11-20", 14),
    Deployment("chat-mini", "gpt-4o-mini-2024-07-18", 7),
)
INSTRUCT: Final = Deployment("instruct", "gpt-35-turbo-instruct", 9)
EMBEDDING: Final = Deployment("embed", "text-embedding-3-small", 0)

TEAMS: Final = tuple(
    Team(f"{name}-sub", product, f"00000000-0000-4000-8000-0000000000{number:02}", region)
    for number, (name, product, region) in enumerate(
        (
            ("support", "standard", "West Europe"),
            ("sales", "standard", "West Europe"),
            ("legal", "restricted", "Sweden Central"),
            ("research", "premium", "Sweden Central"),
            ("logistics", "standard", "West Europe"),
            ("it", "premium", "West Europe"),
        ),
        start=1,
    )
)
_PEOPLE: Final = (7, 6, 2, 4, 3, 3)
"""Callers of each team, in the teams' order."""

_CALLERS: Final = tuple(
    Caller(
        team,
        # Addresses reserved for documentation.
        f"198.51.100.{16 * number + person + 1}",
        f"{team.subscription_id.removesuffix('-sub')}.{person + 1}@example.com",
        f"00000000-0000-4000-9000-0000000{number + 1:02}{person + 1:03}",
    )
    for number, (team, people) in enumerate(zip(TEAMS, _PEOPLE, strict=True))
    for person in range(people)
)


def a_caller(dice: Dice) -> Caller:
    """Return who calls next: some call far more than others."""
    fraction = dice.fraction()
    return _CALLERS[int(fraction * fraction * len(_CALLERS))]
