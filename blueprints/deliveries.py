"""azure.functions events -> deliveries: the only reading of Event Hubs metadata."""

from collections.abc import Sequence

import azure.functions as func

from shared.domain.delivery import Delivery, Position
from shared.domain.values import utc_of

__all__ = ["deliveries"]

_NO_TIME = "0001-01-01T00:00:00.000Z"


def deliveries(hub: str, events: Sequence[func.EventHubEvent]) -> list[Delivery]:
    """Return a trigger's batch with positions; all of a batch comes from one partition.

    A host that sends no metadata still gets its events stored: partition "0", sequence -1.
    """
    partition = _partition(events[0]) if events else "0"
    return [Delivery(_position(hub, partition, event), event.get_body()) for event in events]


def _position(hub: str, partition: str, event: func.EventHubEvent) -> Position:
    sequence = event.sequence_number
    enqueued = event.enqueued_time
    return Position(
        hub,
        partition,
        -1 if sequence is None else int(sequence),
        _NO_TIME if enqueued is None else utc_of(enqueued),
    )


def _partition(event: func.EventHubEvent) -> str:
    # The metadata is one object for the whole batch. Extension 4 and 5 agree on this one name.
    context = (event.metadata or {}).get("PartitionContext") or {}
    return str(context.get("PartitionId") or "0")
