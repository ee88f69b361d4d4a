"""Event bytes -> reading: which source an event comes from.

To add a source: one module with a `SOURCE`, one line in `_SOURCES`, its evidence codes in
`shared.domain.fragment`.
"""

from typing import Final

from shared.domain.values import Json, utc
from shared.errors import EventError
from shared.sources import ai_hub_gateway, azure_monitor, enterprise_logging, native, unsupported
from shared.sources.decoding import decode
from shared.sources.record import Reading, Record
from shared.sources.times import known

__all__ = ["read"]

# The first that recognises an event reads it; the busiest first.
_SOURCES: Final = (
    native.SOURCE,
    enterprise_logging.SOURCE,
    ai_hub_gateway.SOURCE,
    *unsupported.SOURCES,
    azure_monitor.SOURCE,
)


def read(body: bytes, enqueued_at: str) -> Reading:
    """Return what `body` says.

    Raises:
        EventError: it can never be understood.
    """
    event = decode(body)
    enqueued = known(utc(enqueued_at))
    if isinstance(event, dict):
        return _read_object(Record(event, body, enqueued))
    if isinstance(event, list):
        return _read_array(event, enqueued)
    raise EventError("not a JSON object")


def _read_object(record: Record) -> Reading:
    for source in _SOURCES:
        if source.recognises(record.event):
            return source.read(record)
    raise EventError("unknown shape: the event is of no source that we know")


def _read_array(events: list[Json], enqueued_at: str | None) -> Reading:
    """Read events that a forwarder joined. All or none: half an event cannot be in quarantine."""
    readings = []
    for event in events:
        if not isinstance(event, dict):
            raise EventError("an array of something else than JSON objects")
        readings.append(_read_object(Record(event, None, enqueued_at)))
    fragments = tuple(fragment for reading in readings for fragment in reading.fragments)
    if fragments:
        source = next(reading.source for reading in readings if reading.fragments)
        return Reading(source, fragments)
    return readings[0] if readings else Reading("unknown", skipped="an empty array")
