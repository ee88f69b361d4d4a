"""Content stores for tests: every kind there is, empty."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.cosmos import ContainerProxy

from shared.settings import Cosmos
from shared.stores.cosmos import CosmosContentStore, connected
from shared.stores.ports import ContentStore
from shared.stores.sql.content import SqlContentStore
from tests.builders.cosmos import MemoryContainer
from tests.builders.databases import empty_mssql, named_server, new_sqlite
from tests.parts.servers import CosmosEmulator

__all__ = ["CONTENT_STORES", "content_store", "emulated_container", "emulator_settings"]

CONTENT_STORES = ("sqlite", "mssql", "cosmos in memory", "cosmos emulator")

_numbers = itertools.count()


def emulator_settings(emulator: CosmosEmulator, container: str = "") -> Cosmos:
    """Return settings for a container of the emulator; a new one unless it is named."""
    name = container or f"content-{next(_numbers)}"
    return Cosmos(endpoint=emulator.endpoint, database="promptledger", container=name, key=emulator.key)


def emulated_container(emulator: CosmosEmulator) -> ContainerProxy:
    """Return a new container of the emulator."""
    return connected(emulator_settings(emulator))


@contextmanager
def content_store(kind: str, folder: Path, emulator: CosmosEmulator | None) -> Iterator[ContentStore]:
    """Open a store of one of the `CONTENT_STORES`, with nothing in it."""
    if kind in ("sqlite", "mssql"):
        engine = new_sqlite(folder) if kind == "sqlite" else empty_mssql(named_server())
        yield SqlContentStore(engine)
        engine.dispose()
        return
    container = MemoryContainer() if emulator is None else emulated_container(emulator)
    store = CosmosContentStore(lambda: container)
    yield store
    store.close()
