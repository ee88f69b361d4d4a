"""Consumes one hub of an Event Hubs namespace, sharing its partitions with other hosts."""

import asyncio
import logging
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.eventhub import EventData
from azure.eventhub.aio import PartitionContext
from azure.eventhub.amqp import AmqpMessageBodyType
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob.aio import ContainerClient

from localhost.environment import Host
from localhost.functions import EventHubFunction
from localhost.hub_clients import check, checkpoint_container, consuming_client, first_line
from localhost.hub_events import HubEvent, invoke
from localhost.namespace import Namespace

__all__ = ["HubConsumer", "hub_event"]

logger = logging.getLogger(__name__)

_FROM_START: Final = "-1"
"""Where a partition without a checkpoint begins: as the Functions host does, with the oldest event there is."""
_MOST_PARTITIONS: Final = 128
_TICK_SECONDS: Final = 0.2


class HubConsumer:
    """The consumer of one function.

    Partitions are independent: each has its batches one after another, and one whose batch fails and
    is repeated holds up no other. The functions are blocking, so they run in threads of their own.
    """

    def __init__(self, function: EventHubFunction, namespace: Namespace, host: Host, stop: threading.Event) -> None:
        """Prepare to feed `function` from `namespace` until `stop` is set.

        Raises:
            UsageError: a connection string cannot be read.
        """
        check(namespace)
        self._function = function
        self._namespace = namespace
        self._host = host
        self._stop = stop
        self._under_way: set[threading.Event] = set()
        self._invocations = ThreadPoolExecutor(_MOST_PARTITIONS, thread_name_prefix=function.hub)
        self._thread = threading.Thread(target=self._run, name=f"{function.hub} consumer")

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def join(self) -> None:
        """Wait until every invocation under way has ended and its checkpoint is kept; `stop` must be set."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                asyncio.run(self._consume())
            except Exception:
                # A host that goes on without its consumer would look healthy while nothing is stored.
                logger.exception("%s lost its consumer and gets another", self._function.name)
                self._stop.wait(self._host.balancing_seconds)
        self._invocations.shutdown()

    async def _consume(self) -> None:
        async with DefaultAzureCredential() as me, checkpoint_container(self._namespace, me) as container:
            if not await self._make(container):
                return
            checkpoints = BlobCheckpointStore(container.url, container.container_name, container_client=container)
            async with consuming_client(self._namespace, self._function, self._host, checkpoints, me) as client:
                receiving = asyncio.create_task(
                    client.receive_batch(
                        self._on_batch,
                        on_error=self._on_error,
                        max_batch_size=self._host.max_event_batch_size,
                        prefetch=self._host.prefetch_count,
                        starting_position=_FROM_START,
                    )
                )
                while not self._stop.is_set() and not receiving.done():  # noqa: ASYNC110  # other threads stop us
                    await asyncio.sleep(_TICK_SECONDS)
                await self._finish()
                if receiving.done():
                    receiving.result()
            # Closed, the client still sleeps until its next look at the partitions.
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def _make(self, container: ContainerClient) -> bool:
        """Create the container if it is not there; return False when the host stopped before that succeeded."""
        while not self._stop.is_set():
            try:
                await container.create_container()
            except ResourceExistsError:
                return True
            except AzureError as error:
                logger.warning(
                    "%s waits for the storage of its checkpoints: %s", self._function.name, first_line(error)
                )
                await asyncio.sleep(self._host.balancing_seconds)
            else:
                return True
        return False

    async def _finish(self) -> None:
        """Wait for the invocations under way; none of them is repeated any more."""
        while self._under_way:
            for abandoned in self._under_way:
                abandoned.set()
            await asyncio.sleep(_TICK_SECONDS)

    async def _on_batch(self, context: PartitionContext, events: Sequence[EventData]) -> None:
        # What a host that stops passes over has no checkpoint: whoever owns the partition next gets it.
        if not events or self._stop.is_set():
            return
        abandoned = threading.Event()
        self._under_way.add(abandoned)
        try:
            loop = asyncio.get_running_loop()
            done = await loop.run_in_executor(self._invocations, self._invoke, context.partition_id, events, abandoned)
            if done:
                await self._checkpoint(context, events[-1])
        finally:
            # Cancelled: another host owns the partition now, and this one has nothing to repeat any more.
            abandoned.set()
            self._under_way.discard(abandoned)

    def _invoke(self, partition: str, events: Sequence[EventData], abandoned: threading.Event) -> bool:
        batch = [hub_event(event) for event in events]
        return invoke(self._function, partition, batch, sleep=abandoned.wait, stopping=abandoned.is_set)

    async def _checkpoint(self, context: PartitionContext, event: EventData) -> None:
        try:
            await context.update_checkpoint(event)
        except AzureError as error:
            # The next batch's covers this one's. Until then a repeat is all that can come of it.
            logger.warning("%s kept no checkpoint: %s", self._function.name, first_line(error))

    async def _on_error(self, context: PartitionContext | None, error: Exception) -> None:
        place = "the hub" if context is None else f"partition {context.partition_id}"
        logger.warning("%s lost %s for a while: %s", self._function.name, place, first_line(error))


def hub_event(event: EventData) -> HubEvent:
    """Return Azure's event as the consumers here have it; what the hub left out is left out."""
    message = event.raw_amqp_message
    message.annotations = message.annotations or {}  # the client's own properties fail on a message without any
    enqueued = event.enqueued_time
    return HubEvent(
        sequence=event.sequence_number,
        enqueued_at=None if enqueued is None else enqueued.isoformat(timespec="milliseconds"),
        partition_key=None if event.partition_key is None else _text(event.partition_key),
        body=_body(event),
        offset=event.offset,
        properties={
            _text(name): _text(value) if isinstance(value, bytes) else value
            for name, value in (event.properties or {}).items()
        },
    )


def _body(event: EventData) -> bytes:
    if event.body_type == AmqpMessageBodyType.DATA:
        return b"".join(cast("Iterable[bytes]", event.body))
    # No producer of ours sends AMQP's own types; whatever it means, its text is kept.
    return event.body_as_str().encode()


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
