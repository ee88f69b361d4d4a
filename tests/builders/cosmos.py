"""A container of Cosmos DB in memory, at the level of `azure.cosmos.ContainerProxy`.

tests/contracts/test_cosmos_container.py holds it to what the emulator does, where that can judge.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import (
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

__all__ = ["MemoryContainer", "throttled"]

Item = dict[str, Any]

_ITEM_BYTES = 2 * 1024 * 1024
_CONDITION = re.compile(r"c\.(\w+) = @(\w+)|ARRAY_CONTAINS\(@(\w+), c\.(\w+)\)")


def throttled() -> AzureError:
    """Return what the SDK raises when it has waited long enough for a container without throughput left."""
    return CosmosHttpResponseError(status_code=429, message="Request rate is large")


class MemoryContainer:
    """Items by partition; `fault`, called before each request with its kind and item id, may raise."""

    def __init__(self, fault: Callable[[str, str], None] = lambda _kind, _id: None) -> None:
        self.partitions: dict[str, dict[str, Item]] = {}
        self.requests: list[tuple[str, str]] = []
        self.now = 0
        """Seconds, by which items with a `ttl` come to their end."""
        self._fault = fault
        self._lock = threading.Lock()

    def items(self) -> list[Item]:
        """Return all that is there."""
        return [item for key in list(self.partitions) for item in self._living(key)]

    def read(self) -> Item:
        self._asked("read", "")
        return {"partitionKey": {"paths": ["/interactionId"]}}

    def create_item(self, body: Item, *, no_response: bool) -> object:
        del no_response
        written = json.dumps(body)
        self._asked("create", body["id"])
        if re.search(r"[/\\?#]", body["id"]):
            raise ValueError("Id contains illegal chars.")
        if len(written) > _ITEM_BYTES:
            raise CosmosHttpResponseError(status_code=413, message="Request size is too large")
        with self._lock:
            self._living(body["interactionId"])
            partition = self.partitions.setdefault(body["interactionId"], {})
            if body["id"] in partition:
                raise CosmosResourceExistsError(status_code=409, message="Entity with the specified id already exists")
            partition[body["id"]] = {**json.loads(written), "_ts": self.now}
        return {}

    def query_items(self, query: str, *, parameters: list[dict[str, object]], partition_key: str) -> Iterator[Item]:
        values = {str(one["name"]).removeprefix("@"): one["value"] for one in parameters}
        chosen, _, condition = query.removeprefix("SELECT ").partition(" FROM c WHERE ")
        tests = [_CONDITION.fullmatch(part) for part in condition.split(" AND ")]
        self._asked("query", partition_key)
        with self._lock:
            found = [item for item in self._living(partition_key) if all(_holds(one, item, values) for one in tests)]
        names = None if chosen == "*" else [name.removeprefix("c.") for name in chosen.split(", ")]
        for item in found:
            yield dict(item) if names is None else {name: item[name] for name in names}

    def delete_item(self, item: str, partition_key: str) -> None:
        self._asked("delete", item)
        with self._lock:
            if item not in {one["id"] for one in self._living(partition_key)}:
                raise CosmosResourceNotFoundError(
                    status_code=404, message="Entity with the specified id does not exist"
                )
            del self.partitions[partition_key][item]

    def _asked(self, kind: str, name: str) -> None:
        self.requests.append((kind, name))
        self._fault(kind, name)

    def _living(self, key: str) -> Iterable[Item]:
        """Return a partition's items, less those whose time is over."""
        partition = self.partitions.get(key, {})
        for item in list(partition.values()):
            if "ttl" in item and item["_ts"] + item["ttl"] <= self.now:
                del partition[item["id"]]
        return list(partition.values())


def _holds(test: re.Match[str] | None, item: Item, values: dict[str, Any]) -> bool:
    assert test is not None, "a condition that this container cannot judge"
    field, value, members, member = test.groups()
    return bool(item[field] == values[value]) if field else item[member] in values[members]
