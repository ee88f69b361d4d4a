"""The overview: how much, and is that usual?"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from shared.api.callers import Caller, Role
from shared.api.dashboard.charts import Chart, Series, stacked
from shared.api.dashboard.frame import Link, PageRoute, csv_file, linker, page, parameters_of, safe_cell
from shared.api.dashboard.parameters import OverviewParameters
from shared.api.dashboard.people import KINDS
from shared.api.dashboard.ranges import SINCE, Range, next_start, range_of
from shared.api.dashboard.uses import NAMES, Within, spread_in, top_list, totals_of, usage_query
from shared.api.parameters import DIMENSIONS
from shared.api.routes.common import Audit, UsageWithin
from shared.domain.values import utc_now, utc_of
from shared.questions import FindingFilter
from shared.services.audit import AuditService, PartitionBalance
from shared.stores.ports import Row

__all__ = ["Record", "record_of", "router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_GROUPS: Final = ("model", "subscriptionId", "deployment", "operation", "appId", "userId", "team")
_MEASURES: Final = {
    "requests": "calls",
    "tokens": "tokens",
    "cost": "cost",
    "errors": "errors",
    "filtered": "calls that the filter acted on",
}
_COLUMNS: Final = {"tokens": "total_tokens", "cost": "amount", "filtered": "filtered_requests"}
_MOST_ROWS: Final = 10_000
_LAYERS: Final = 5
_OTHERS: Final = "other"
_FINDINGS: Final = 100
_FRESH_SECONDS: Final = 30.0
"""How long what the overview says of the record may stand."""


class Record(NamedTuple):
    """How complete and how fresh the record is."""

    received: int
    pending: int
    quarantined: int
    newest: str | None
    findings: int
    more_findings: bool

    @property
    def is_complete(self) -> bool:
        """Return whether nothing is known to be missing."""
        return not (self.pending or self.quarantined or self.findings)


def record_of(audit: AuditService, partitions: Sequence[PartitionBalance]) -> Record:
    """Return how complete and fresh the record is, of which `partitions` is the balance."""
    findings = audit.findings(FindingFilter(resolved=False), after=None, limit=_FINDINGS)
    times = [one.last_enqueued_at for one in partitions if one.last_enqueued_at]
    return Record(
        sum(one.received for one in partitions),
        sum(one.pending for one in partitions),
        sum(one.quarantined for one in partitions),
        max(times, default=None),
        len(findings.rows),
        findings.next is not None,
    )


def _record_for(request: Request, caller: Caller, audit: AuditService) -> Record | None:
    """Return the record's state; None for those who do not see all of it."""
    if Role.AUDIT_READ not in caller.roles or caller.within(Role.AUDIT_READ):
        return None
    kept: tuple[float, Record] | None = getattr(request.app.state, "record", None)
    if kept is None or time.monotonic() - kept[0] > _FRESH_SECONDS:
        # The balance counts every event: once in a while, not for each look.
        kept = (time.monotonic(), record_of(audit, audit.balance()))
        request.app.state.record = kept
    return kept[1]


@router.get("")
def show_overview(request: Request, caller: UsageWithin, audit: Audit) -> Response:
    """Show how much was used in a range, against the range before."""
    query, within = parameters_of(OverviewParameters, request), caller.within(Role.USAGE_READ)
    when = _when(query)
    link = linker(request)
    now, amounts = totals_of(audit, query, within, when.start, when.end)
    before, amounts_before = totals_of(audit, query, within, when.before_start, when.before_end)
    spread, spread_before = (
        spread_in(audit, query, within, start, end)
        for start, end in ((when.start, when.end), (when.before_start, when.before_end))
    )
    series, is_cut = _series(audit, query, within, when, link)
    held, narrowed = _state(query)
    return page(
        request,
        "overview",
        when=when,
        query=query,
        now=now,
        before=before,
        amounts=amounts,
        amounts_before=amounts_before,
        spread=spread,
        spread_before=spread_before,
        chart=_chart(series, when, narrowed, link),
        chart_is_cut=is_cut,
        currency=next(iter(amounts)) if len(amounts) == 1 else None,
        tops=[top_list(audit, query, within, when, dimension) for dimension in _GROUPS],
        record=_record_for(request, caller, audit),
        held=held,
        narrowed=narrowed,
        ranged={name: value for name, value in narrowed.items() if name in {"since", "from", "to"}},
        kinds=KINDS,
        since=SINCE,
        names=NAMES,
        measures=_MEASURES,
    )


@router.get("/usage.csv")
def send_usage(request: Request, caller: UsageWithin, audit: Audit) -> Response:
    """Send what the overview's chart draws, a line for each bar's part."""
    query, within = parameters_of(OverviewParameters, request), caller.within(Role.USAGE_READ)
    when = _when(query)
    series, _ = _series(audit, query, within, when, linker(request))
    rows = (
        (start, safe_cell(one.name), value)
        for one in series
        for start, value in zip(when.starts, one.values, strict=True)
    )
    return csv_file(f"{query.measure}-by-{query.by}.csv", ["intervalStart", query.by, query.measure], rows)


def _when(query: OverviewParameters) -> Range:
    return range_of(utc_now(), since=query.since, start=query.from_, end=query.to)


def _state(query: OverviewParameters) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all parameters that a page was asked with, and those of them that narrow or name a time."""
    held = query.model_dump(by_alias=True, exclude_unset=True, exclude={"limit", "cursor", "group_by", "interval"})
    return held, {name: value for name, value in held.items() if name not in {"by", "measure"}}


def _series(
    audit: AuditService, query: OverviewParameters, within: Within, when: Range, link: Link
) -> tuple[list[Series], bool]:
    """Return what the chart draws, the largest first, and whether there are too many groups to tell apart."""
    column = DIMENSIONS[query.by]
    found = audit.usage(
        usage_query(query, within, when.start, when.end, query.by, interval=when.interval),
        after=None,
        limit=_MOST_ROWS,
    )
    if found.next is not None:
        found = audit.usage(
            usage_query(query, within, when.start, when.end, interval=when.interval), after=None, limit=_MOST_ROWS
        )
        return [Series("all", _placed(found.rows, when, query.measure))], True
    by_name: dict[str, list[Row]] = {}
    for row in found.rows:
        by_name.setdefault(row[column] or "", []).append(row)
    lines = {name: _placed(rows, when, query.measure) for name, rows in by_name.items()}
    ordered = sorted(lines, key=lambda name: (-sum(lines[name]), name))
    most = _LAYERS if len(ordered) > _LAYERS + 1 else len(ordered)
    series = [Series(name or "unknown", lines[name], _explored(query, name, link)) for name in ordered[:most]]
    if ordered[most:]:
        rest = [sum(values, Decimal(0)) for values in zip(*(lines[name] for name in ordered[most:]), strict=True)]
        series.append(Series(_OTHERS, rest))
    return series, False


def _explored(query: OverviewParameters, name: str, link: Link) -> str | None:
    if not name:
        return None
    return link("explore", _state(query)[1], {query.by: name})


def _placed(rows: Sequence[Mapping[str, Any]], when: Range, measure: str) -> list[Decimal]:
    """Return one number an interval."""
    places = {start: place for place, start in enumerate(when.starts)}
    values = [Decimal(0)] * len(when.starts)
    for row in rows:
        values[places[row["interval_start"]]] += Decimal(row[_COLUMNS.get(measure, measure)] or 0)
    return values


def _chart(series: Sequence[Series], when: Range, narrowed: Mapping[str, Any], link: Link) -> Chart:
    rest = {name: value for name, value in narrowed.items() if name != "since"}
    hrefs = []
    for start in when.starts:
        end = next_start(datetime.fromisoformat(start), when.interval)
        hrefs.append(link("explore", rest, {"from": start, "to": utc_of(end)}))
    return stacked(series, when.starts, hrefs, others=_OTHERS)
