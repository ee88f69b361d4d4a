"""Event Hubs events as the worker hands them to a function, and a batch of them handed over."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import azure.functions as func
import orjson
from azure.functions.meta import Datum

from localhost.functions import EventHubFunction
from localhost.retry import Sleep, until_done

__all__ = ["HubEvent", "batch_of", "invoke"]

logger = logging.getLogger(__name__)


class HubEvent(NamedTuple):
    """One event at its position in a partition."""

    sequence: int | None
    """None, as with the time: the hub did not say."""
    enqueued_at: str | None
    """ISO 8601."""
    partition_key: str | None
    body: bytes
    offset: str | None = None
    """As the hub says it, a number or not. None: the sequence number stands for it."""
    properties: Mapping[str, object] | None = None
    """The application's own."""

    @property
    def place(self) -> str:
        """The offset that the function sees."""
        if self.offset is not None:
            return self.offset
        return "" if self.sequence is None else str(self.sequence)


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
            # An int in a batch, whatever the annotation says: that is what the host's converter makes of it. Hubs
            # with geo-replication have offsets that are no numbers; nothing in the app depends on them.
            offset=int(event.place) if event.place.isdecimal() else event.place,  # type: ignore[arg-type]
            iothub_metadata={},
        )
        for event in events
    ]


def invoke(
    function: EventHubFunction,
    partition: str,
    events: Sequence[HubEvent],
    *,
    sleep: Sleep,
    stopping: Callable[[], bool],
) -> bool:
    """Give a batch to its function, as often as its retry policy says.

    Args:
        function: consumes the hub.
        partition: that all the events come from.
        events: the batch.
        sleep: waits before the batch is repeated.
        stopping: true when the batch is not to be repeated any more.

    Returns:
        Whether the consumer is done with the events, so that the checkpoint may move.
    """
    try:
        return until_done(
            lambda: function(batch_of(function, partition, events)),
            function.retry,
            name=function.name,
            sleep=sleep,
            stopping=stopping,
        )
    except Exception:
        # As in Azure: whatever the function raised, its policy is exhausted and the checkpoint moves on.
        logger.exception("%s gave up a batch of %d events", function.name, len(events))
        return True


def _metadata(function: EventHubFunction, partition: str, events: Sequence[HubEvent]) -> dict[str, Datum]:
    context = {
        "FullyQualifiedNamespace": "localhost",
        "EventHubName": function.hub_name,
        "ConsumerGroup": function.consumer_group,
        "PartitionId": partition,
    }
    system = [
        {
            "SequenceNumber": event.sequence,
            "Offset": event.place,
            "PartitionKey": event.partition_key,
            "EnqueuedTimeUtc": event.enqueued_at,
            "x-opt-sequence-number": event.sequence,
            "x-opt-offset": event.place,
            "x-opt-partition-key": event.partition_key,
            "x-opt-enqueued-time": event.enqueued_at,
        }
        for event in events
    ]
    return {
        "PartitionContext": _json(context),
        "SystemPropertiesArray": _json(system),
        "PropertiesArray": _json([event.properties or {} for event in events]),
        "PartitionKeyArray": _json([event.partition_key for event in events]),
        "OffsetArray": _json([event.place for event in events]),
        "SequenceNumberArray": _json([event.sequence for event in events]),
        "EnqueuedTimeUtcArray": _json([event.enqueued_at for event in events]),
    }


def _json(value: object) -> Datum:
    return Datum(orjson.dumps(value, default=str).decode(), "json")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
