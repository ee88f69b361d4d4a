"""Event Hubs events as the worker hands them to a function."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import azure.functions as func
import orjson
from azure.functions.meta import Datum

from localhost.registered import EventHubFunction

__all__ = ["HubEvent", "batch_of"]


class HubEvent(NamedTuple):
    """One event at its position in a partition."""

    sequence: int
    enqueued_at: str
    """ISO 8601."""
    partition_key: str | None
    body: bytes


def batch_of(function: EventHubFunction, partition: str, events: Sequence[HubEvent]) -> list[func.EventHubEvent]:
    """Return one invocation's events: real library objects that share the batch's metadata.

    Built by the constructor: the library's own converter parses times so slowly that it would be the
    better half of a replay's time.
    """
    metadata = _metadata(function, partition, events)
    return [
        func.EventHubEvent(
            body=event.body,
            trigger_metadata=metadata,
            enqueued_time=_moment(event.enqueued_at),
            partition_key=event.partition_key,
            sequence_number=event.sequence,
            # An int in a batch, whatever the annotation says: that is what the host's converter makes of it.
            offset=event.sequence,  # type: ignore[arg-type]
            iothub_metadata={},
        )
        for event in events
    ]


def _metadata(function: EventHubFunction, partition: str, events: Sequence[HubEvent]) -> dict[str, Datum]:
    context = {
        "FullyQualifiedNamespace": "localhost",
        "EventHubName": function.hub_name,
        "ConsumerGroup": function.consumer_group,
        "PartitionId": partition,
    }
    system = [
        {
            "SequenceNumber": sequence,
            "Offset": str(sequence),
            "PartitionKey": key,
            "EnqueuedTimeUtc": at,
            "x-opt-sequence-number": sequence,
            "x-opt-offset": str(sequence),
            "x-opt-partition-key": key,
            "x-opt-enqueued-time": at,
        }
        for sequence, at, key, _ in events
    ]
    return {
        "PartitionContext": _json(context),
        "SystemPropertiesArray": _json(system),
        "PropertiesArray": _json([{} for _ in events]),
        "PartitionKeyArray": _json([event.partition_key for event in events]),
        "OffsetArray": _json([str(event.sequence) for event in events]),
        "SequenceNumberArray": _json([event.sequence for event in events]),
        "EnqueuedTimeUtcArray": _json([event.enqueued_at for event in events]),
    }


def _json(value: object) -> Datum:
    return Datum(orjson.dumps(value).decode(), "json")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
