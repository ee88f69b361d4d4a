"""Azure's own clients for a namespace: to consume a hub with checkpoints, to read a part of it again, to send to it."""

from typing import Any, Final

from azure.core.credentials import TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.eventhub import EventHubConsumerClient as ReadingClient
from azure.eventhub import EventHubProducerClient, parse_connection_string
from azure.eventhub.aio import CheckpointStore, EventHubConsumerClient
from azure.eventhub.exceptions import EventHubError
from azure.storage.blob.aio import ContainerClient, ExponentialRetry

from localhost.environment import Host
from localhost.errors import UsageError
from localhost.namespace import Namespace
from localhost.registered import EventHubFunction

__all__ = ["HUB_ERRORS", "check", "checkpoint_container", "consuming_client", "reading_client", "sending_client"]

HUB_ERRORS: Final = (AzureError, EventHubError)
"""What a hub's client raises: of Azure's clients it alone has errors of its own kind."""
_CONTAINER = "azure-webjobs-eventhub"
"""The Functions host's: checkpoints and ownership lie where it keeps them, so that both can take turns."""
_STORAGE_VERSION = "2019-07-07"
"""The checkpoint store's own. Emulators lag behind the storage client's newest."""


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


def sending_client(
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
