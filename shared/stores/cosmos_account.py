"""Settings -> the container in Cosmos DB, checked to be fit for content."""

import logging
from typing import Any, Final

from azure.core.credentials import TokenCredential
from azure.cosmos import ContainerProxy, CosmosClient, PartitionKey
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from shared.errors import ConfigurationError
from shared.settings import Cosmos
from shared.stores.cosmos_items import PARTITION_KEY

__all__ = ["connected"]

logger = logging.getLogger(__name__)

_WEAK: Final = ("Session", "ConsistentPrefix", "Eventual")
"""Levels at which one host may not see for a while what another wrote."""


def connected(settings: Cosmos, **options: Any) -> ContainerProxy:  # noqa: ANN401  # as the SDK takes them
    """Return the container that the settings name. An emulator's is made if it is not there.

    Args:
        settings: which one, and how long its items are kept.
        options: further ones of `CosmosClient`.

    Raises:
        ConfigurationError: there is no such container, or its properties would lose content, or keep it for ever.
        AzureError: the account does not answer.
    """
    client = _client(settings, **options)
    if settings.key is not None:
        _make(client, settings)
    container = client.get_database_client(settings.database).get_container_client(settings.container)
    try:
        properties = container.read()
    except CosmosResourceNotFoundError as error:
        raise ConfigurationError(
            "PROMPTLEDGER_COSMOS_DATABASE and PROMPTLEDGER_COSMOS_CONTAINER name no container of the account"
        ) from error
    if properties["partitionKey"]["paths"] != [PARTITION_KEY]:
        raise ConfigurationError(f"PROMPTLEDGER_COSMOS_CONTAINER is not partitioned by {PARTITION_KEY}")
    lifetime = properties.get("defaultTtl")
    if lifetime not in (None, -1):
        raise ConfigurationError("PROMPTLEDGER_COSMOS_CONTAINER deletes by itself: its default TTL must be -1 or off")
    if lifetime is None and (settings.content_days or settings.aside_days):
        raise ConfigurationError("PROMPTLEDGER_CONTENT_DAYS has no effect: the container's TTL is off, it must be -1")
    policy = client.get_database_account().ConsistencyPolicy or {}
    level = policy.get("defaultConsistencyLevel")
    if level in _WEAK and settings.key is None:
        logger.warning("content.weak_consistency level=%s", level)
    return container


def _client(settings: Cosmos, **options: Any) -> CosmosClient:  # noqa: ANN401  # as the SDK takes them
    return CosmosClient(
        settings.endpoint,
        settings.key or _identity(),
        # What is throttled waits as long as the service says, half a minute in all; then the trigger waits.
        retry_throttle_total=9,
        retry_throttle_backoff_max=30,
        retry_write=3,  # every write of ours may be repeated
        connection_timeout=5,
        read_timeout=30,
        **options,
    )


def _identity() -> TokenCredential:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # heavy, and an emulator does without

    return DefaultAzureCredential()


def _make(client: CosmosClient, settings: Cosmos) -> None:
    database = client.create_database_if_not_exists(settings.database)
    database.create_container_if_not_exists(settings.container, PartitionKey(PARTITION_KEY), default_ttl=-1)
