"""Which faults, when, for how long: decided by the seed alone, before the first of them."""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["KINDS", "Fault", "plan_of"]

KINDS: Final = {
    "kill": 5,  # SIGKILL of a host, which then starts anew
    "move": 3,  # a host leaves and its partitions go to the other; then it comes back
    "freeze": 3,  # a host stands still and goes on without knowing
    "lock": 4,  # somebody else holds the database
    "ledger gone": 3,
    "content store gone": 3,
    "redelivery": 8,  # batches of a partition come again
}
"""Kind of fault -> how often, beside the others."""


class Fault(NamedTuple):
    """One fault."""

    kind: str
    after_seconds: float
    """Quiet before it."""
    seconds: float
    """How long it lasts."""
    host: int
    partition: int
    events: int
    """How many come again."""


def plan_of(seed: int, seconds: float, *, hosts: int, partitions: int) -> Sequence[Fault]:
    """Return faults for about that time, the same for the same seed; every kind occurs at least once."""
    chance = random.Random(seed)
    kinds = [*KINDS, *chance.choices(list(KINDS), list(KINDS.values()), k=round(seconds))]
    faults: list[Fault] = []
    lasts = 0.0
    for number, kind in enumerate(kinds):
        if lasts >= seconds and number >= len(KINDS):
            break
        fault = Fault(
            kind,
            after_seconds=chance.uniform(0.1, 1.5),
            seconds=0.0 if kind in ("kill", "redelivery") else chance.uniform(0.3, 2.5),
            host=chance.randrange(hosts),
            partition=chance.randrange(partitions),
            events=chance.randint(1, 600),
        )
        faults.append(fault)
        lasts += fault.after_seconds + fault.seconds
    return faults
