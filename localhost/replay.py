"""Feeds events through the registered Event Hub functions, partition by partition, in batches."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from localhost.errors import UsageError
from localhost.event_file import FileEvent
from localhost.functions import AppFunctions, EventHubFunction
from localhost.hub_events import HubEvent, batch_of
from localhost.retry import Sleep, until_done

__all__ = ["Feeder"]

logger = logging.getLogger(__name__)

_MOST_BYTES: Final = 32 * 1024 * 1024
"""Of events held for their batches to fill; a host's prefetching is bounded, too."""
_MOST_EVENTS: Final = 64 * 1024


@dataclass(slots=True)
class _Buffer:
    """The events of one partition that wait for their batch to fill."""

    function: EventHubFunction
    events: list[HubEvent] = field(default_factory=list)
    size: int = 0


class Feeder:
    """Collects events by partition and invokes the hub's function for each full batch.

    Order is kept within a partition. Between partitions batches come as they fill, which is how the
    partitions' consumers take turns. Memory is bounded: when too much is held, the fullest
    partition's batch goes early.
    """

    def __init__(self, functions: AppFunctions, *, batch_size: int, sleep: Sleep = time.sleep) -> None:
        """Feed `functions` with batches of at most `batch_size`.

        Args:
            functions: the app's.
            batch_size: events per invocation.
            sleep: waits before a failed batch is repeated.
        """
        self._functions = functions
        self._batch_size = batch_size
        self._sleep = sleep
        self._buffers: dict[tuple[str, str], _Buffer] = {}
        self._partitions: set[tuple[str, str]] = set()
        self._held_events = 0
        self._held_bytes = 0
        self.fed = 0
        """Events whose function has returned."""

    @property
    def partitions(self) -> frozenset[tuple[str, str]]:
        """Hub and partition of the events fed."""
        return frozenset(self._partitions)

    def feed(self, events: Iterable[FileEvent]) -> None:
        """Feed all of `events`; when this returns each has been through its function.

        Raises:
            UsageError: no function consumes an event's hub, or reading `events` failed. What came
                before has been fed.
            Exception: what a function raised that has no retry policy, or whose retries are used up.
        """
        try:
            for hub, partition, event in events:
                self._add(hub, partition, event)
        except UsageError:
            # What was read before is real, whatever comes after it.
            self._flush_all()
            raise
        self._flush_all()

    def _add(self, hub: str, partition: str, event: HubEvent) -> None:
        buffer = self._buffers.get((hub, partition))
        if buffer is None:
            buffer = self._buffers[hub, partition] = _Buffer(self._functions.hub(hub))
        buffer.events.append(event)
        buffer.size += len(event.body)
        self._held_events += 1
        self._held_bytes += len(event.body)
        if len(buffer.events) >= self._batch_size:
            self._flush(partition, buffer)
        elif self._held_bytes > _MOST_BYTES or self._held_events > _MOST_EVENTS:
            key, fullest = max(self._buffers.items(), key=lambda item: item[1].size)
            self._flush(key[1], fullest)

    def _flush_all(self) -> None:
        for (_, partition), buffer in self._buffers.items():
            if buffer.events:
                self._flush(partition, buffer)

    def _flush(self, partition: str, buffer: _Buffer) -> None:
        events, function = buffer.events, buffer.function
        self._held_events -= len(events)
        self._held_bytes -= buffer.size
        buffer.events, buffer.size = [], 0
        until_done(
            lambda: function(batch_of(function, partition, events)),
            function.retry,
            name=function.name,
            sleep=self._sleep,
        )
        self._partitions.add((function.hub, partition))
        self.fed += len(events)
