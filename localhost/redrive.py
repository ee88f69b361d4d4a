"""Reads a range of a hub's partition again, whatever the checkpoints say."""

import queue
import threading
from collections.abc import Generator, Sequence
from typing import Final

from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext
from azure.identity import DefaultAzureCredential

from localhost.errors import UsageError
from localhost.event_file import FileEvent
from localhost.functions import EventHubFunction
from localhost.hub_clients import HUB_ERRORS, check, first_line, reading_client
from localhost.hub_consumer import hub_event
from localhost.namespace import Namespace

__all__ = ["Range", "events_of"]

_WAIT_SECONDS: Final = 0.2
_HELD_BATCHES: Final = 4


class Range:
    """A partition's events by their sequence numbers, both ends included."""

    def __init__(self, partition: str, first: int, last: int | None) -> None:
        """Name the range.

        Args:
            partition: the partition's id.
            first: a sequence number.
            last: another; None or one that is not there yet: the last there is when the reading begins.

        Raises:
            UsageError: the range is empty.
        """
        if last is not None and last < first:
            raise UsageError(f"--to {last} stands before --from {first}")
        self.partition = partition
        self.first = first
        self.last = last


def events_of(namespace: Namespace, function: EventHubFunction, wanted: Range, group: str) -> Generator[FileEvent]:
    """Return the range's events in order, read as they are needed; ends with the range.

    What the hub's retention has let go is left out: the range then begins with the oldest event there is.

    Args:
        namespace: holds the hub.
        function: consumes it.
        wanted: which events.
        group: a consumer group that nobody consumes the partition with: a consumer of the ordinary
            kind suffers no reader beside it.

    Raises:
        UsageError: hub, partition or range are not there, or reading failed. What was returned before is real.
    """
    check(namespace)
    with DefaultAzureCredential() as me, reading_client(namespace, function, group, me) as client:
        last = _last(client, function, wanted)
        for batch in _batches(client, wanted):
            for event in batch:
                if (event.sequence_number or 0) > last:
                    return
                yield FileEvent(function.hub, wanted.partition, hub_event(event))
            if (batch[-1].sequence_number or 0) >= last:
                return


def _last(client: EventHubConsumerClient, function: EventHubFunction, wanted: Range) -> int:
    name = f"partition {wanted.partition} of hub {function.hub_name}"
    try:
        if wanted.partition not in client.get_partition_ids():
            raise UsageError(f"there is no {name}")
        known = client.get_partition_properties(wanted.partition)
    except HUB_ERRORS as error:
        raise UsageError(f"{name} cannot be read: {first_line(error)}") from error
    oldest, newest = known["beginning_sequence_number"], known["last_enqueued_sequence_number"]
    last = newest if wanted.last is None else min(wanted.last, newest)
    if known["is_empty"] or last < max(wanted.first, oldest):
        raise UsageError(f"{name} has none of these events; it has {oldest} to {newest}")
    return int(last)


def _batches(client: EventHubConsumerClient, wanted: Range) -> Generator[Sequence[EventData]]:
    """Receive in a thread of its own: Azure's client calls back, but this is a generator."""
    received: queue.Queue[Sequence[EventData] | Exception] = queue.Queue(_HELD_BATCHES)
    over = threading.Event()

    def take(item: Sequence[EventData] | Exception) -> None:
        while not over.is_set():
            try:
                return received.put(item, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
        return None

    def on_batch(_context: PartitionContext, events: Sequence[EventData]) -> None:
        if events:
            take(events)

    def on_error(_context: PartitionContext | None, error: Exception) -> None:
        take(error)

    thread = threading.Thread(
        target=client.receive_batch,
        args=(on_batch,),
        kwargs={
            "partition_id": wanted.partition,
            "starting_position": wanted.first,
            "starting_position_inclusive": True,
            "on_error": on_error,
        },
        name=f"partition {wanted.partition}",
    )
    thread.start()
    try:
        while True:
            item = received.get()
            if isinstance(item, Exception):
                raise UsageError(f"reading the hub failed: {first_line(item)}") from item
            yield item
    finally:
        over.set()
        client.close()
        thread.join()
