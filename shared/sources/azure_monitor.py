"""Azure Monitor's records, formats C and D -> fragments, by their category.

To add a category: one module with a reader, one line in `_READERS`. Members and quirks:
docs/events.md, section "Azure Monitor".
"""

from collections.abc import Callable, Iterable
from typing import Final

from shared.domain.fragment import Fragment
from shared.domain.interaction import Facts
from shared.domain.unknown_words import FIELD, note, words_in
from shared.domain.values import Json, text, utc
from shared.errors import EventError
from shared.sources import azure_monitor_gateway, azure_monitor_llm, azure_monitor_openai
from shared.sources.azure_monitor_gateway import read_gateway_log
from shared.sources.azure_monitor_llm import assemble_rows, read_llm_log, salvage_rows
from shared.sources.azure_monitor_log import Log, log_of
from shared.sources.azure_monitor_openai import read_request_response, read_request_usage
from shared.sources.record import Aside, Reading, Record, Source, inner

__all__ = ["SOURCE"]

_NAME: Final = "azure-monitor"
_MARKS: Final = frozenset({"category", "resourceid", "metricname"})

_Reader = Callable[[Log], tuple[Fragment, ...]]

# The end of a category, in lower case; the first that fits reads the record.
_READERS: Final[tuple[tuple[str, _Reader], ...]] = (
    ("gatewaylogs", read_gateway_log),
    ("gatewayllmlogs", read_llm_log),
    ("azureopenairequestusage", read_request_usage),
    ("requestresponse", read_request_response),
)


_COUNTED: Final = frozenset(
    # API Management, then Cognitive Services
    "websocketconnectionlogs gatewaymcplogs developerportalauditlogs auditlogs audit trace managednetworkevent".split()
)
"""Categories that speak of no call: known, and only counted and kept aside."""


def _is_monitored(record: Json) -> bool:
    return isinstance(record, dict) and any(name.lower() in _MARKS for name in record)


def _is_record(event: dict[str, Json]) -> bool:
    names = set(map(str.lower, event))
    # A record that stood in `records`, and says its category inside, is kept alone.
    return not names.isdisjoint({"category", "metricname"}) or names >= {"resourceid", "properties"}


def _records(event: dict[str, Json]) -> Json:
    # What a record holds is its own affair.
    return None if _is_record(event) else event.get("records", event.get("Records"))


def _recognises(event: dict[str, Json]) -> bool:
    records = _records(event)
    if isinstance(records, list):
        # Policies of others wrap what is not Azure Monitor's in `records` too.
        return all(map(_is_monitored, records))
    return _is_record(event)


def _read(record: Record) -> Reading:
    records = _records(record.event)
    if not isinstance(records, list):
        return _reading([record])
    return _reading(inner(one, record) for one in records)


def _reading(records: Iterable[Record]) -> Reading:
    """Read records. One that cannot be read must not hold up the others: it is put aside.

    Raises:
        EventError: no record speaks of a call, and one of them cannot be read.
    """
    fragments: list[Fragment] = []
    asides: list[Aside] = []
    fault: EventError | None = None
    skipped: str | None = None
    unknown: Facts = {}
    for record in records:
        log = log_of(record)
        category = _category(log)
        if category is None:
            skipped = "platform metrics"
            continue
        lower = category.lower()
        read = next((reader for end, reader in _READERS if lower.endswith(end)), None)
        if read is None:
            asides.append(_aside(category, log))
            skipped = f"category {category}"
            note(unknown, "category", [] if lower in _COUNTED else [category])
            continue
        try:
            of_record = read(log)
        except EventError as error:
            asides.append(_aside(category, log))
            fault = error
        else:
            fragments += of_record
            skipped = skipped or (None if of_record else f"probe of category {category}")
    if fault is not None and not fragments:
        raise fault
    return Reading(
        fragments[0].record_type.source if fragments else _NAME,
        tuple(fragments),
        None if fragments else skipped or "no records",
        tuple(asides),
        tuple(words_in(unknown.get(FIELD))),
    )


def _category(log: Log) -> str | None:
    """Return the record's category; None for a platform metric, which has none."""
    category = text(log.members.get("category"), 64)
    return category or (None if "metricname" in log.members else text(log.members.get("type"), 64) or "unknown")


def _aside(category: str, log: Log) -> Aside:
    day = (utc(log.members.get("time")) or "")[:10] or "undated"
    return Aside(f"category:{category.lower()}:{day}", log.record.document())


SOURCE: Final = Source(
    (*azure_monitor_gateway.RECORD_TYPES, *azure_monitor_llm.RECORD_TYPES, *azure_monitor_openai.RECORD_TYPES),
    _recognises,
    _read,
    assemble_rows,
    salvage_rows,
)
