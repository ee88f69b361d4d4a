"""What the Functions host sends for a batch of a hub's events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
from azure.functions.meta import Datum

__all__ = ["collection_of", "metadata_of"]


def collection_of(bodies: Sequence[bytes]) -> Datum:
    """Return the bodies of a batch as the worker takes them from its message."""
    return Datum(SimpleNamespace(bytes=list(bodies)), "collection_bytes")


def metadata_of(bodies: Sequence[bytes], *, first: int = 0, partition: str = "0") -> dict[str, Datum]:
    """Return a batch's metadata as the host writes it: times without a zone, and every array that it sends."""
    moment = datetime(2026, 3, 2, 9, 30, 0, 300_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-5]
    numbers = range(first, first + len(bodies))
    system = [
        {
            "SequenceNumber": number,
            "Offset": str(number),
            "PartitionKey": None,
            "EnqueuedTimeUtc": moment,
            "x-opt-sequence-number": number,
            "x-opt-offset": str(number),
            "x-opt-enqueued-time": f"{moment}+00:00",
        }
        for number in numbers
    ]
    context = {
        "FullyQualifiedNamespace": "hubs.servicebus.windows.net",
        "EventHubName": "gateway",
        "ConsumerGroup": "promptledger",
        "PartitionId": partition,
    }
    told = {
        "PartitionContext": context,
        "SystemPropertiesArray": system,
        "PropertiesArray": [{} for _ in numbers],
        "PartitionKeyArray": [None for _ in numbers],
        "OffsetArray": [str(number) for number in numbers],
        "SequenceNumberArray": list(numbers),
        "EnqueuedTimeUtcArray": [moment for _ in numbers],
    }
    return {name: Datum(orjson.dumps(value).decode(), "json") for name, value in told.items()}
