"""Consumes the local event log: one thread per hub and partition, as a host has one listener each."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import cast

from localhost.event_log import PARTITIONS, EventLog
from localhost.hub_events import HubEvent, batch_of
from localhost.registered import EventHubFunction
from localhost.retry import Sleep, until_done

__all__ = ["Consumer", "consume_partition", "invoke"]

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.25
_FAULT_SECONDS = 1.0


class Consumer:
    """The consumers of one function: all partitions of its hub."""

    def __init__(self, function: EventHubFunction, log: EventLog, *, batch_size: int, stop: threading.Event) -> None:
        """Prepare to feed `function` from `log` until `stop` is set."""
        self._threads = [
            threading.Thread(
                target=consume_partition,
                args=(function, log, partition),
                kwargs={"batch_size": batch_size, "stop": stop},
                name=f"{function.hub}/{partition}",
            )
            for partition in PARTITIONS
        ]

    def start(self) -> None:
        """Begin to consume."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every invocation under way has ended; `stop` must be set."""
        for thread in self._threads:
            thread.join()


def consume_partition(
    function: EventHubFunction, log: EventLog, partition: str, *, batch_size: int, stop: threading.Event
) -> None:
    """Read batches and invoke the function until `stop` is set.

    The checkpoint moves when the function has returned. While the function's retry policy repeats a
    batch the checkpoint waits. When a function without such a policy raises, it moves on, as in Azure.
    A fault of the log itself, such as a full disk, is waited out; then the batch comes again.
    """
    while not stop.is_set():
        try:
            events = log.read(function.hub, function.consumer_group, partition, batch_size)
            if not events:
                stop.wait(_IDLE_SECONDS)
            elif invoke(function, partition, events, sleep=stop.wait, stopping=stop.is_set):
                # The log numbers all its events.
                log.set_checkpoint(function.hub, function.consumer_group, partition, cast("int", events[-1].sequence))
        except sqlite3.Error as error:
            logger.warning("%s/%s: the event log failed: %s", function.hub, partition, error)
            stop.wait(_FAULT_SECONDS)


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
