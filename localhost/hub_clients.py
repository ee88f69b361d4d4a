"""Azure's own clients for a namespace: to consume a hub with checkpoints, to read a part of it again, to send to it."""

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final

from azure.core.credentials import TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.eventhub import EventData, EventHubProducerClient, parse_connection_string
from azure.eventhub import EventHubConsumerClient as ReadingClient
from azure.eventhub.aio import CheckpointStore, EventHubConsumerClient
from azure.eventhub.exceptions import EventHubError
from azure.identity import DefaultAzureCredential
from azure.storage.blob.aio import ContainerClient, ExponentialRetry

from localhost.environment import Host
from localhost.errors import UsageError
from localhost.event_file import FileEvent
from localhost.functions import AppFunctions, EventHubFunction
from localhost.hub_events import HubEvent
from localhost.namespace import Namespace

__all__ = [
    "HUB_ERRORS",
    "check",
    "checkpoint_container",
    "consuming_client",
    "first_line",
    "reading_client",
    "send_to_hubs",
]

HUB_ERRORS: Final = (AzureError, EventHubError)
"""What a hub's client raises: of Azure's clients it alone has errors of its own kind."""
_CONTAINER = "azure-webjobs-eventhub"
"""The Functions host's: checkpoints and ownership lie where it keeps them, so that both can take turns."""
_STORAGE_VERSION = "2019-07-07"
"""The checkpoint store's own. Emulators lag behind the storage client's newest."""
_SENT_AT_ONCE = 100
"""Events that are sorted by their keys, so that those of one key travel together."""


def checkpoint_container(namespace: Namespace, identity: AsyncTokenCredential | None) -> ContainerClient:
    """Return a client for the container of the checkpoints, which may not be there yet.

    Args:
        namespace: where it is.
        identity: who reads and writes it, where no connection string says that.

    Raises:
        UsageError: the storage account's connection string cannot be read.
    """
    # The client's own patience, a minute and more, is for people who would have to begin again.
    patience = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=2)
    options: dict[str, Any] = {"api_version": _STORAGE_VERSION, "retry_policy": patience}
    if namespace.storage_connection is None:
        return ContainerClient(namespace.storage_address, _CONTAINER, identity, **options)
    try:
        return ContainerClient.from_connection_string(namespace.storage_connection, _CONTAINER, **options)
    except ValueError as error:
        raise UsageError(f"AzureWebJobsStorage: {error}") from error


def consuming_client(
    namespace: Namespace,
    function: EventHubFunction,
    host: Host,
    checkpoints: CheckpointStore,
    identity: AsyncTokenCredential,
) -> EventHubConsumerClient:
    """Return a client that shares the hub's partitions with all others that use the same checkpoints."""
    balancing: dict[str, Any] = {
        "checkpoint_store": checkpoints,
        "load_balancing_interval": host.balancing_seconds,
        "partition_ownership_expiration_interval": host.ownership_seconds,
    }
    if namespace.hubs_connection is not None:
        return EventHubConsumerClient.from_connection_string(
            namespace.hubs_connection, function.consumer_group, eventhub_name=function.hub_name, **balancing
        )
    return EventHubConsumerClient(
        namespace.hubs_address, function.hub_name, function.consumer_group, identity, **balancing
    )


def reading_client(
    namespace: Namespace, function: EventHubFunction, group: str, identity: TokenCredential
) -> ReadingClient:
    """Return a client that reads a hub beside its consumers and leaves no trace."""
    if namespace.hubs_connection is not None:
        return ReadingClient.from_connection_string(namespace.hubs_connection, group, eventhub_name=function.hub_name)
    return ReadingClient(namespace.hubs_address, function.hub_name, group, identity)


def _sending_client(
    namespace: Namespace, function: EventHubFunction, identity: TokenCredential
) -> EventHubProducerClient:
    """Return a client that sends to the hub which `function` consumes."""
    if namespace.hubs_connection is not None:
        return EventHubProducerClient.from_connection_string(namespace.hubs_connection, eventhub_name=function.hub_name)
    return EventHubProducerClient(namespace.hubs_address, function.hub_name, identity)


def check(namespace: Namespace) -> None:
    """Say at once what is wrong with a connection string.

    Raises:
        UsageError: it cannot be read.
    """
    checkpoint_container(namespace, None)
    if namespace.hubs_connection is not None:
        try:
            parse_connection_string(namespace.hubs_connection)
        except ValueError as error:
            raise UsageError(f"EVENT_HUBS: {error}") from error


def send_to_hubs(events: Iterable[FileEvent], namespace: Namespace, functions: AppFunctions) -> int:
    """Send events to the hubs that their functions consume, as a gateway does; return how many.

    The hub gives them positions and times of its own. Each has its partition key, if it has one;
    events of one key keep their order.

    Raises:
        UsageError: a connection string cannot be read, or a hub does not take an event; says how many it took before.
    """
    check(namespace)
    waiting = iter(events)
    sent = 0
    with DefaultAzureCredential() as me, ExitStack() as stack:
        hubs = {one.hub: stack.enter_context(_sending_client(namespace, one, me)) for one in functions.event_hubs}
        while some := list(islice(waiting, _SENT_AT_ONCE)):
            for (hub, key), group in _by_key(some).items():
                try:
                    _send(hubs[hub], key, group)
                except (*HUB_ERRORS, ValueError) as error:
                    name, reason = functions.hub(hub).hub_name, first_line(error)
                    raise UsageError(f"hub {name} takes no events: {reason} ({sent} were sent before)") from error
                sent += len(group)
    return sent


def _by_key(events: Iterable[FileEvent]) -> dict[tuple[str, str | None], list[HubEvent]]:
    groups: dict[tuple[str, str | None], list[HubEvent]] = {}
    for hub, _, event in events:
        groups.setdefault((hub, event.partition_key), []).append(event)
    return groups


def _send(client: EventHubProducerClient, key: str | None, events: Iterable[HubEvent]) -> None:
    batch = client.create_batch(partition_key=key)
    for event in events:
        data = EventData(event.body)
        try:
            batch.add(data)
        except ValueError:  # The batch is full; in one of its own, an event that is too large for the hub is refused.
            client.send_batch(batch)
            batch = client.create_batch(partition_key=key)
            batch.add(data)
    client.send_batch(batch)


def first_line(error: Exception) -> str:
    """Return the first line: the rest of these clients' messages is headers."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
