"""Event bytes -> fragments; pure. One module per source; the first source that recognises an event reads it.

To add a source: one module with a `SOURCE`, one line in `SOURCES`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final, ParamSpec, TypeVar

from shared.domain.facts import only_metadata
from shared.domain.fragment import Fragment, digest
from shared.domain.interaction import Provenance
from shared.domain.reassembly.chunks import ChunkSet
from shared.domain.reassembly.claim_checks import Claim
from shared.domain.reassembly.keys import document_key
from shared.domain.record_types import Observer, Precedence, RecordType
from shared.domain.redaction import redact
from shared.domain.values import Json, canonical
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
from shared.sources.record import CUT, Aside, Reading, Record, inner
from shared.sources.salvage import salvage
from shared.sources.times import possible_time

__all__ = [
    "ESTIMATE_RECORD",
    "PARSER_VERSION",
    "RECORD_TYPES",
    "SOURCES",
    "SOURCE_NAMES",
    "Aside",
    "Reading",
    "assemble",
    "claim_of",
    "parse_event",
    "read_event",
    "redeem",
    "salvage_chunks",
    "source_lists",
    "source_names",
]

logger = logging.getLogger(__name__)

_Parameters = ParamSpec("_Parameters")
_Parsed = TypeVar("_Parsed")

PARSER_VERSION: Final = "2"
"""Kept with quarantined events: which of them a newer parser may understand."""

# The busiest first.
SOURCES: Final = (
    native.SOURCE,
    enterprise_logging.SOURCE,
    ai_hub_gateway.SOURCE,
    azure_monitor.SOURCE,
    ai_hub_gateway_pii.SOURCE,
    toolkit.SOURCE,
    enterprise_azureai.SOURCE,
    apim_docs.SOURCE,
    raw_http.SOURCE,
    unsupported.SOURCE,
)

ESTIMATE_RECORD: Final = RecordType(
    source="",
    part="estimate",
    letter="e",
    provenance=Provenance.ESTIMATED,
    precedence=Precedence(general=220, request=220, error=220, time=220, model=220, prompt=220, cache=220),
    observer=Observer.PRODUCT,
)
"""What this product says of a call where no source tells its usage; of no source."""

_SOURCE_OF: Final = {record_type.letter: source for source in SOURCES for record_type in source.record_types}
RECORD_TYPES: Final[Mapping[str, RecordType]] = {
    record_type.letter: record_type
    for record_type in (*(one for source in SOURCES for one in source.record_types), ESTIMATE_RECORD)
}
"""Letter -> record type. The letter `q` is taken too: it marks a time that no record tells (`shared.merge`)."""
SOURCE_NAMES: Final = tuple(sorted({one.source for one in RECORD_TYPES.values()} - {""}))
"""The public names of the sources."""


def source_names(*observers: Observer) -> tuple[str, ...]:
    """Return the sources all of whose records `observers` write."""
    of = {name: {one.observer for one in RECORD_TYPES.values() if one.source == name} for name in SOURCE_NAMES}
    return tuple(name for name in SOURCE_NAMES if of[name] <= set(observers))


def source_lists(observer: Observer, *others: Observer) -> tuple[str, ...]:
    """Return every list of sources, as the ledger writes it, of calls that `observer` and at most `others` know."""
    needed, allowed = set(source_names(observer)), source_names(observer, *others)
    chosen = (some for size in range(1, len(allowed) + 1) for some in combinations(allowed, size))
    return tuple(canonical(list(some)) for some in chosen if needed & set(some))


def read_event(body: bytes, enqueued_at: str) -> Reading:
    """Return what one event says.

    Args:
        body: the event as Event Hubs delivered it; any bytes.
        enqueued_at: canonical UTC time, the authority where the event's own time is missing or
            ambiguous; a year 1 means unknown.

    Raises:
        EventError: the event can never be understood, or our parser is at fault.
    """
    return _guarded(parse_event, body, enqueued_at)


def parse_event(body: bytes, enqueued_at: str) -> Reading:
    """Return what `read_event` does; a fault of a parser is raised as it is, for tests and the fuzzer."""
    clean, removed = redact(body)
    source, fragments, skipped, asides, words, _ = _read_clean(clean, possible_time(enqueued_at), body)
    return Reading(source, tuple(map(_finished, fragments)), skipped, asides, words, removed)


def assemble(chunks: ChunkSet, documents: Mapping[str, bytes]) -> list[tuple[str, Fragment]]:
    """Return the fragments that chunks make together, each with the mark of the chunks up to its end.

    None at all when the chunks turn out to be no body yet, are not all there, or say nothing
    that can be understood together.

    Args:
        chunks: of one body, perhaps.
        documents: what the content store keeps of them, by key.
    """
    read = _SOURCE_OF[chunks.keys[0].letter].assemble
    if read is None or any(key.text not in documents for key in chunks.keys):
        return []
    try:
        assembled = _guarded(read, chunks, [documents[key.text] for key in chunks.keys])
    except EventError:
        return []
    return [(mark, _finished(fragment)) for mark, fragment in assembled]


def salvage_chunks(keys: Sequence[str], documents: Mapping[str, bytes]) -> Fragment | None:
    """Return what chunks say as far as they are complete, marked as truncated; None when that is nothing.

    Args:
        keys: of chunks that stand side by side, from the first on; the last may be missing.
        documents: what the content store keeps of them, by key.
    """
    bodies: list[bytes] = []
    for key in keys:
        if key not in documents:
            break
        bodies.append(documents[key])
    read = _SOURCE_OF[keys[0][0]].salvage
    if read is None or not bodies:
        return None
    try:
        fragment = _guarded(read, bodies)
    except EventError:
        return None
    return fragment and _finished(fragment)


def claim_of(document: bytes) -> Claim | None:
    """Return where the body is that an event, of which `document` is kept, has left in Blob storage."""
    try:
        return _guarded(native.claim_of, document)
    except EventError:
        return None


def redeem(document: bytes, body: list[bytes]) -> Fragment | None:
    """Return what an event says with the body that it claimed; None when that cannot be understood.

    Args:
        document: what the content store keeps of the event.
        body: the body alone, which is taken out: the caller should hold no other reference to it.
    """
    try:
        return _finished(_guarded(native.redeem, document, body))
    except EventError:
        return None


def _finished(fragment: Fragment) -> Fragment:
    """Return a fragment with its key, and with facts that are metadata alone.

    Every fragment passes here on its way to the ledger.
    """
    # Not by `_replace`, which takes three times as long: every event pays for it.
    name, record_type, facts, content, document, chunk, correlation_ids, foreign_id, _ = fragment
    key = document_key(record_type.letter, digest(document), chunk)
    kept = only_metadata(facts)
    return Fragment(name, record_type, kept, content, document, chunk, correlation_ids, foreign_id, key)


def _guarded(parse: Callable[_Parameters, _Parsed], *values: _Parameters.args, **named: _Parameters.kwargs) -> _Parsed:
    try:
        return parse(*values, **named)
    except (EventError, MemoryError):
        raise
    except Exception as fault:  # noqa: BLE001
        # Parsers are total, and tests say so without this line; should one be
        # wrong all the same, its event must not hold up the partition for ever: it waits in quarantine,
        # under a version whose successor is tried on it. Neither message nor trace is logged: they may
        # quote the body.
        name = type(fault).__name__
        logger.error("sources.parser_fault %s", name)  # noqa: TRY400
        raise EventError(f"parser fault: {name}") from None


_CUT_FROM: Final = 199_000
"""Events of API Management end at 200 KB, whichever thousand it means; shorter ones are just broken."""
_SHORT: Final = 1024
"""A text at the very end of a cut event that is no longer than this may be half an id or half a name."""


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
    event = raw_http.event_in(body)
    return None if event is None else Record(event, None, enqueued_at)


def _drop_half_value(event: dict[str, Json]) -> None:
    name, value = next(reversed(event.items()))
    if isinstance(value, str) and len(value) <= _SHORT:
        del event[name]


def _read_object(record: Record) -> Reading:
    if CUT in record.event:
        del record.event[CUT]
        record.cut = True
    for source in SOURCES:
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
