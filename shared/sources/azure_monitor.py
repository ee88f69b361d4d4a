"""Azure Monitor's records: platform metrics speak of no call; resource logs are not read yet."""

from typing import Final

from shared.domain.values import Json
from shared.errors import EventError
from shared.sources.record import Reading, Record, Source

__all__ = ["SOURCE"]

_NAME: Final = "azure-monitor"


def _is_monitored(record: Json) -> bool:
    return isinstance(record, dict) and ("category" in record or "resourceId" in record or "metricName" in record)


def _recognises(event: dict[str, Json]) -> bool:
    records = event.get("records")
    if isinstance(records, list):
        # Policies of others wrap what is not Azure Monitor's in `records` too.
        return all(map(_is_monitored, records))
    return "category" in event or "metricName" in event


def _read(record: Record) -> Reading:
    told = record.event.get("records")
    records = told if isinstance(told, list) else [record.event]
    if all("metricName" in one and "category" not in one for one in records):
        return Reading(_NAME, skipped="platform metrics")
    raise EventError("source not supported yet: Azure Monitor resource logs")


SOURCE: Final = Source(_recognises, _read)
