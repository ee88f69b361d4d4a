"""The content store in Cosmos DB: partition key = interaction id, one item per document, more when it is large.

Why it is built this way, and what it costs: docs/adr/0007-cosmos-content.md.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any, Final, Protocol, TypeVar

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.cosmos import ContainerProxy, CosmosClient, PartitionKey
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.settings import Cosmos
from shared.stores.cosmos_items import PARTITION_KEY, Item, documents_in, is_head, items_of
from shared.stores.ports import ContentDocument

__all__ = ["Container", "CosmosContentStore", "connected"]

logger = logging.getLogger(__name__)

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_AT_ONCE: Final = 10
"""Requests under way together: as many as the SDK's transport keeps connections."""
_READS: Final = 2
"""Times that one interaction is read, if a part of what is found is missing: its writer may have been at it."""
_RACES: Final = 10
"""Times that a query is tried when the client gets in its own way."""

_WEAK: Final = ("Session", "ConsistentPrefix", "Eventual")
"""Levels at which one host may not see for a while what another wrote."""

# The emulator wants the partition key in the condition as well.
_ALL: Final = "SELECT * FROM c WHERE c.interactionId = @id"
_NAMED: Final = "SELECT c.id FROM c WHERE c.interactionId = @id AND ARRAY_CONTAINS(@documents, c.document)"


class Container(Protocol):
    """What the store asks of `azure.cosmos.ContainerProxy`."""

    def read(self) -> object:
        """Return the container's properties."""

    def create_item(self, body: dict[str, Any], *, no_response: bool) -> object:
        """Write an item; ResourceExistsError when its partition has one of that id."""

    def query_items(self, query: str, *, parameters: list[dict[str, object]], partition_key: str) -> Iterable[Item]:
        """Yield the items of one partition that the query selects."""

    def delete_item(self, item: str, partition_key: str) -> None:
        """Delete an item; ResourceNotFoundError when there is none."""


class CosmosContentStore:
    """`shared.stores.ports.ContentStore` in one container; its threads and connection begin with the first call."""

    def __init__(self, connect: Callable[[], Container], *, content_days: int = 0, aside_days: int = 0) -> None:
        """Use the container that `connect` returns; it may raise AzureError, and is called again then.

        Args:
            connect: called once, on the first use.
            content_days: how long the documents of interactions are kept; 0 is for ever.
            aside_days: how long asides are.
        """
        self._connect = connect
        self._days = {False: content_days, True: aside_days}
        self._container: Container | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def put(self, documents: Sequence[ContentDocument]) -> None:
        """Keep documents; see the port."""
        self._each(self._create, documents)

    def drop(self, documents: Sequence[tuple[str, str]]) -> None:
        """Forget documents; see the port."""
        named: defaultdict[str, list[str]] = defaultdict(list)
        for interaction_id, document in documents:
            named[interaction_id].append(document)
        self._each(self._delete, named.items())

    def get(self, interaction_ids: Collection[str]) -> Mapping[str, Sequence[ContentDocument]]:
        """Return each interaction's documents; see the port."""
        wanted = list(dict.fromkeys(interaction_ids))
        found = self._each(self._read, wanted)
        return {interaction_id: documents for interaction_id, documents in zip(wanted, found, strict=True) if documents}

    def check(self) -> None:
        """Return if the container answers; see the port."""
        self._each(lambda container, _: container.read(), [None])

    def close(self) -> None:
        """End the threads; a later call begins them anew."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown()
            self._pool = None

    def _create(self, container: Container, document: ContentDocument) -> None:
        days = self._days[document.document.startswith("aside:")]
        # The head comes last: who finds it finds all that it speaks of.
        for item in items_of(document, days=days):
            with suppress(ResourceExistsError):
                container.create_item(item, no_response=True)

    def _delete(self, container: Container, named: tuple[str, list[str]]) -> None:
        interaction_id, documents = named
        parameters: list[dict[str, object]] = [
            {"name": "@id", "value": interaction_id},
            {"name": "@documents", "value": documents},
        ]
        found = _selected(container, _NAMED, parameters, interaction_id)
        # The head goes first: nobody may find one whose chunks are gone.
        for name in sorted([item["id"] for item in found], key=is_head, reverse=True):
            with suppress(ResourceNotFoundError):
                container.delete_item(name, partition_key=interaction_id)

    def _read(self, container: Container, interaction_id: str) -> list[ContentDocument]:
        parameters: list[dict[str, object]] = [{"name": "@id", "value": interaction_id}]
        for _ in range(_READS):
            documents, torn = documents_in(interaction_id, _selected(container, _ALL, parameters, interaction_id))
            if not torn:
                break
        else:
            # Nobody writes like that: they expired, or somebody deletes them now.
            logger.warning("content.torn interaction=%s documents=%s", interaction_id, " ".join(torn))
        return documents

    def _each(self, do: Callable[[Container, _Task], _Result], tasks: Iterable[_Task]) -> list[_Result]:
        """Return what `do` returns for each task, a few of them at a time; begin no more once one failed."""
        todo = list(tasks)
        if not todo:
            return []
        try:
            container, pool = self._running()
            if len(todo) == 1:
                return [do(container, todo[0])]
            futures = [pool.submit(copy_context().run, partial(do, container), task) for task in todo]
            _, rest = wait(futures, return_when=FIRST_EXCEPTION)
            for future in rest:
                future.cancel()
            wait(futures)
            failures = [error for future in futures if not future.cancelled() and (error := future.exception())]
            if failures:
                raise failures[0]
            return [future.result() for future in futures]
        except AzureError as error:
            # Its text may quote what was sent: the status says enough.
            status = getattr(error, "status_code", None) or type(error).__name__
            raise StoreUnavailableError(f"Cosmos DB did not do it: {status}") from error

    def _running(self) -> tuple[Container, ThreadPoolExecutor]:
        with self._lock:
            if self._container is None:
                self._container = self._connect()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="content")
            return self._container, self._pool


def _selected(container: Container, query: str, parameters: list[dict[str, object]], key: str) -> list[Item]:
    """Return what a query finds in one partition.

    The client keeps the headers of its last answer, whosever it was, and each thread writes into them
    what it knows of retries: azure-cosmos 4.17 may find a query's headers changed while it copies them.
    """
    for _ in range(_RACES):
        try:
            return list(container.query_items(query, parameters=parameters, partition_key=key))
        except RuntimeError as error:
            race = error
    raise StoreUnavailableError("the client of Cosmos DB gets in its own way") from race


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
