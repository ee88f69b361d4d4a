"""How far a hub is: the last sequence number of each partition."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from azure.eventhub import EventHubConsumerClient

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["last_sequences"]

_SECONDS: Final = 5

# It logs every connection that could not be made, with a trace; the caller learns it from the error.
logging.getLogger("azure.eventhub").setLevel(logging.CRITICAL)


def last_sequences(
    environment: Mapping[str, str], hub_name: str, *, credential: "Callable[[], TokenCredential]"
) -> dict[str, int]:
    """Return the last sequence number of each partition of a hub, -1 for an empty one.

    Args:
        environment: with `EVENT_HUBS`, a connection string, or `EVENT_HUBS__fullyQualifiedNamespace`.
        hub_name: the namespace's name for it.
        credential: makes the identity that signs in to a namespace.

    Raises:
        Exception: the hub did not answer; the client has many kinds.
    """
    group = environment.get("HUB_CONSUMER_GROUP") or "$Default"
    connection = environment.get("EVENT_HUBS", "")
    if connection:
        client = EventHubConsumerClient.from_connection_string(
            connection, group, eventhub_name=hub_name, retry_total=0, socket_timeout=_SECONDS, auth_timeout=_SECONDS
        )
    else:
        namespace = environment.get("EVENT_HUBS__fullyQualifiedNamespace", "")
        client = EventHubConsumerClient(
            namespace, hub_name, group, credential(), retry_total=0, socket_timeout=_SECONDS, auth_timeout=_SECONDS
        )
    with client:
        partitions = client.get_partition_ids()
        found = {name: client.get_partition_properties(name) for name in partitions}
    return {name: -1 if one["is_empty"] else int(one["last_enqueued_sequence_number"]) for name, one in found.items()}
