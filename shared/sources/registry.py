"""Event bytes -> reading: which source an event comes from.

To add a source: one module with a `SOURCE`, one line in `SOURCES`, its evidence codes in
`shared.domain.fragment`.
"""

from typing import Final

from shared.domain.redaction import redact
from shared.domain.values import Json
from shared.errors import EventError
from shared.sources import (
    ai_hub_gateway,
    ai_hub_gateway_pii,
    apim_docs,
    azure_monitor,
    enterprise_azureai,
    enterprise_logging,
    native,
    raw_http,
    toolkit,
    unsupported,
)
from shared.sources.decoding import decode
from shared.sources.record import CUT, Reading, Record, inner
from shared.sources.salvage import salvage
from shared.sources.times import known

__all__ = ["SOURCES", "read"]

# The first that recognises an event reads it; the busiest first.
SOURCES: Final = {
    "native": native.SOURCE,
    "enterprise-logging": enterprise_logging.SOURCE,
    "ai-hub-gateway": ai_hub_gateway.SOURCE,
    "azure-monitor": azure_monitor.SOURCE,
    "ai-hub-gateway (personal data)": ai_hub_gateway_pii.SOURCE,
    "toolkit": toolkit.SOURCE,
    "enterprise-azureai": enterprise_azureai.SOURCE,
    "apim-docs": apim_docs.SOURCE,
    "raw-http": raw_http.SOURCE,
    "unsupported": unsupported.SOURCE,
}
_ALL: Final = tuple(SOURCES.values())

_CUT_FROM: Final = 199_000
"""Events of API Management end at 200 KB, whichever thousand it means; shorter ones are just broken."""
_SHORT: Final = 1024
"""A text at the very end of a cut event that is no longer than this may be half an id or half a name."""


def read(body: bytes, enqueued_at: str) -> Reading:
    """Return what `body` says.

    Raises:
        EventError: it can never be understood.
    """
    clean, removed = redact(body)
    reading = _read_clean(clean, known(enqueued_at), body)
    return reading._replace(removed=removed) if removed else reading


def _read_clean(body: bytes, enqueued: str | None, received: bytes) -> Reading:
    """Read the event `body`, which was `received` before its secrets were taken out."""
    try:
        event = decode(body)
    except EventError:
        event = _lines_in(body)
        if event is None:
            record = _read_text(body, enqueued, received)
            if record is None:
                raise
            return _read_object(record)
    if isinstance(event, dict):
        return _read_object(Record(event, body if body is received else None, enqueued))
    if isinstance(event, list):
        return _read_array(event, Record({}, None, enqueued))
    raise EventError("not a JSON object")


def _lines_in(body: bytes) -> list[Json] | None:
    """Return the objects in lines of JSON, which storage accounts hold and somebody may forward; None for other texts.

    Source: event formats, section 1.
    """
    first, _, rest = body.partition(b"\n")
    if not first.lstrip().startswith(b"{") or not rest.strip():
        return None
    try:
        # Of anything else the first line is no JSON, or there is only one.
        events = [decode(first)]
        events += [decode(line) for line in rest.splitlines() if line.strip()]
    except EventError:
        return None
    return events if all(isinstance(event, dict) for event in events) else None


def _read_text(body: bytes, enqueued_at: str | None, received: bytes) -> Record | None:
    """Return the record in what is no JSON: in an event that was cut off, or in an HTTP message.

    Raises:
        EventError: it is of a source that we know, and cannot be read.
    """
    if len(received) >= _CUT_FROM:
        event, _ = salvage(body)
        # Azure Monitor cuts no events: such a one is broken, and which of its records are whole is a guess.
        if isinstance(event, dict) and len(event) > 1 and not azure_monitor.SOURCE.recognises(event):
            _drop_half_value(event)
            return Record(event, body if body is received else None, enqueued_at, cut=True)
    unsupported.refuse_text(body)
    told = raw_http.event_in(body)
    return None if told is None else Record(told, None, enqueued_at)


def _drop_half_value(event: dict[str, Json]) -> None:
    name, value = next(reversed(event.items()))
    if isinstance(value, str) and len(value) <= _SHORT:
        del event[name]


def _read_object(record: Record) -> Reading:
    if CUT in record.event:
        del record.event[CUT]
        record.cut = True
    for source in _ALL:
        if source.recognises(record.event):
            reading = source.read(record)
            if record.cut and source is not azure_monitor.SOURCE:
                for fragment in reading.fragments:
                    fragment.facts["truncated"] = True
            return reading
    records = record.event.get("records")
    if isinstance(records, list):
        # Azure Monitor's are read already: policies of others wrap their events so too.
        return _read_array(records, record)
    raise EventError("unknown shape: the event is of no source that we know")


def _read_array(events: list[Json], outer: Record) -> Reading:
    """Read events that a forwarder joined into `outer`. All or none: half an event cannot be in quarantine."""
    readings = []
    for event in events:
        if not isinstance(event, dict):
            raise EventError("an array of something else than JSON objects")
        readings.append(_read_object(inner(event, outer)))
    fragments = tuple(fragment for reading in readings for fragment in reading.fragments)
    asides = tuple(aside for reading in readings for aside in reading.asides)
    words = tuple(word for reading in readings for word in reading.unknown_words)
    if fragments:
        source = next(reading.source for reading in readings if reading.fragments)
        return Reading(source, fragments, asides=asides, unknown_words=words)
    return (
        readings[0]._replace(asides=asides, unknown_words=words)
        if readings
        else Reading("unknown", skipped="an empty array")
    )
