"""What the audit API asks the ledger: how lists are narrowed, where they go on, what is added up.

A filter of the API is one line of `FILTERS`: its parameter, OpenAPI and SQL follow from that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple

from shared.domain.interaction import OPERATIONS, State
from shared.domain.reach import Reach
from shared.domain.values import COUNT_LIMIT
from shared.domain.vendors import VENDORS
from shared.domain.verdicts import CATEGORIES, SEVERITIES, SIDES
from shared.sources import SOURCE_NAMES

__all__ = [
    "FILTERS",
    "AlertFilter",
    "CallCount",
    "Condition",
    "Count",
    "DeploymentFilter",
    "Filter",
    "FindingFilter",
    "InteractionFilter",
    "ListKey",
    "PriceFilter",
    "StatementQuery",
    "UsageQuery",
]


class ListKey(NamedTuple):
    """Where an item stands in a list that goes from the newest to the oldest."""

    moment: str
    id: str


@dataclass(frozen=True, slots=True)
class CallCount:
    """How many interactions a filter finds."""

    count: int
    at_least: bool
    """Whether there may be more: no further was counted."""


class Condition(Enum):
    """How a filter narrows; the store has one for each."""

    EQUAL = "the column is equal"
    AT_LEAST = "the column is not less"
    MEASURED = "the column is known, and not less"
    USED = "the column is not less, and tells what the call itself used"
    BEFORE = "the column is less"
    MARKED = "the flag is set; or is not, or unknown"
    PRESENT = "the column is known; or is not"
    LISTED = "the column's JSON list holds it"
    OPERATION = "the operation is equal; `other` is an unknown one too"
    ERROR = "the call is an error, or is none"
    FILTERED = "the content filter acted on a side; or on none"
    FOUND = "the content filter found it: all filters of this kind speak of one finding"
    CHARGED = "the column of the call's charge is equal"
    COSTS = "the column of the call's charge is not less"
    ESTIMATED = "usage is estimated; or is not"
    CALLS = "the column counts one at least; or none, as far as is known"
    BYPASS = "Azure OpenAI's own log alone knows of the call; or others do"


@dataclass(frozen=True, slots=True)
class Count:
    """Whole numbers from 0."""

    most: int | None = None
    below: int | None = None


class Filter(NamedTuple):
    """One filter of a list of interactions."""

    name: str
    """In camelCase the parameter's, unless routes give it otherwise."""
    values: Any
    """What it takes: `str`, `bool`, `Decimal`, an enum, a `Count`, or a tuple of the words that it knows."""
    condition: Condition
    column: str = ""
    """Of the ledger, where the condition does not know which."""
    description: str | None = None
    """For the API's description, where the name does not say it."""


_OTHERWISE: Final = "false: not, as far as is known"

FILTERS: Final = {
    one.name: one
    for one in (
        # The range: parameters `from` and `to` of every list.
        Filter("occurred_from", str, Condition.AT_LEAST, "occurred_at"),
        Filter("occurred_before", str, Condition.BEFORE, "occurred_at"),
        Filter("model", str, Condition.EQUAL, "model"),
        Filter("caller_ip", str, Condition.EQUAL, "caller_ip"),
        Filter("operation", OPERATIONS, Condition.OPERATION, "operation", "`other` finds unknown ones too"),
        Filter("deployment", str, Condition.EQUAL, "deployment"),
        Filter("subscription_id", str, Condition.EQUAL, "subscription_id"),
        Filter("product_id", str, Condition.EQUAL, "product_id"),
        Filter("user_id", str, Condition.EQUAL, "user_id"),
        Filter("app_id", str, Condition.EQUAL, "app_id"),
        Filter("team", str, Condition.CHARGED, "team", "who pays, as of the call; found once its hour is summed"),
        Filter("cost_centre", str, Condition.CHARGED, "cost_centre", "as `team`"),
        Filter("http_status", Count(most=999), Condition.EQUAL, "http_status"),
        Filter("state", State, Condition.EQUAL, "state"),
        Filter("streamed", bool, Condition.EQUAL, "streamed", "false: known not to be streamed"),
        Filter(
            "filtered",
            bool,
            Condition.FILTERED,
            description="true: the content filter acted on prompt or completion; false: all others",
        ),
        Filter(
            "filter_category",
            CATEGORIES,
            Condition.FOUND,
            description="what the content filter found, whether it acted or not",
        ),
        Filter(
            "filter_severity",
            SEVERITIES,
            Condition.FOUND,
            description="at least this severe: hate, sexual, violence or self_harm",
        ),
        Filter("filter_side", SIDES, Condition.FOUND, description="where the content filter found something"),
        Filter("min_total_tokens", Count(below=COUNT_LIMIT), Condition.USED, "total_tokens"),
        Filter("source", SOURCE_NAMES, Condition.LISTED, "sources", "a source that tells of the call"),
        Filter(
            "bypass",
            bool,
            Condition.BYPASS,
            "sources",
            "true: calls that only Azure OpenAI's own log knows, past the gateway",
        ),
        Filter("error", bool, Condition.ERROR, description="true: failed, after a 200 too, was refused, or was left"),
        Filter("cached", bool, Condition.EQUAL, "cached", "true: answered from a cache; false: known not to be"),
        Filter("requested_model", str, Condition.EQUAL, "requested_model"),
        Filter("vendor", VENDORS, Condition.EQUAL, "vendor", "whose model it is"),
        Filter("truncated", bool, Condition.MARKED, "truncated", f"true: a part is missing; {_OTHERWISE}"),
        Filter("unreadable", bool, Condition.PRESENT, "unreadable", "true: the answer is not what it should be"),
        Filter("filter_failed", bool, Condition.MARKED, "filter_failed", f"true: it did not run; {_OTHERWISE}"),
        Filter("possible_refusal", bool, Condition.MARKED, "possible_refusal", _OTHERWISE),
        Filter("callers_differ", bool, Condition.MARKED, "callers_differ", _OTHERWISE),
        Filter("session_id", str, Condition.EQUAL, "session_id"),
        Filter("end_user_id", str, Condition.EQUAL, "end_user_id"),
        Filter("api_id", str, Condition.EQUAL, "api_id"),
        Filter("backend_id", str, Condition.EQUAL, "backend_id"),
        Filter("gateway_region", str, Condition.EQUAL, "gateway_region"),
        Filter("error_code", str, Condition.EQUAL, "error_code"),
        Filter("finish_reason", str, Condition.LISTED, "finish_reasons", "why one of its answers ended"),
        Filter("min_latency_ms", Count(below=COUNT_LIMIT), Condition.MEASURED, "latency_ms"),
        Filter("min_amount", Decimal, Condition.COSTS, "amount", "what it cost, in whichever currency it is charged"),
        Filter("has_tool_calls", bool, Condition.CALLS, "tool_calls", f"true: the model called tools; {_OTHERWISE}"),
        Filter("estimated", bool, Condition.ESTIMATED, "usage_provenance", "true: what it used is estimated"),
    )
}
"""Name -> filter, in the order in which the API lists them."""


@dataclass(frozen=True, slots=True, init=False)
class InteractionFilter:
    """What a list of interactions is narrowed to: values of some of `FILTERS`."""

    values: Mapping[str, Any]
    """Name of the filter -> value, in the order of the filters."""
    reaches: tuple[Reach, ...]
    """How far the caller's roles extend: all of them must find an interaction."""

    def __init__(self, **values: Any) -> None:  # noqa: ANN401  # each filter has a type of its own
        """Narrow by each of `values`; None narrows nothing.

        Raises:
            TypeError: there is no such filter.
        """
        unknown = values.keys() - FILTERS.keys()
        if unknown:
            raise TypeError(f"no filter is named {', '.join(sorted(unknown))}")
        ordered = {name: values[name] for name in FILTERS if values.get(name) is not None}
        object.__setattr__(self, "values", ordered)
        object.__setattr__(self, "reaches", ())

    def within(self, reaches: Sequence[Reach]) -> "InteractionFilter":
        """Return the same filter for somebody whose roles extend so far."""
        narrow = InteractionFilter(**self.values)
        object.__setattr__(narrow, "reaches", (*self.reaches, *reaches))
        return narrow


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter:
    """What a list of findings is narrowed to; None narrows nothing."""

    starts_from: str | None = None
    """First hour, inclusive."""
    starts_before: str | None = None
    """Hours, exclusive."""
    hub: str | None = None
    kind: str | None = None
    resolved: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFilter:
    """What a list of prices is narrowed to; None narrows nothing."""

    model: str | None = None
    scope: str | None = None
    tier: str | None = None
    region: str | None = None
    unit: str | None = None
    is_own: bool | None = None
    holds_at: str | None = None
    """Canonical UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFilter:
    """What a list of deployments is narrowed to; None narrows nothing."""

    name: str | None = None
    host: str | None = None
    model: str | None = None
    holds_at: str | None = None
    """Canonical UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """What a list of alerts is narrowed to; None narrows nothing."""

    raised_from: str | None = None
    """Inclusive."""
    raised_before: str | None = None
    """Exclusive."""
    budget_id: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """Which rollups are added up, and into which groups."""

    dimensions: tuple[str, ...] = ()
    """Columns of the rollups to group by."""
    interval: str | None = None
    """`hour`, `day` or `month`; None adds up the whole range, from the hours."""
    starts_from: str | None = None
    """First interval start, inclusive."""
    starts_before: str | None = None
    """Interval starts, exclusive."""
    narrow: InteractionFilter = field(default_factory=InteractionFilter)
    """Filters by what usage can be grouped by; others are none of a rollup's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementQuery:
    """Which lines of a month's statement; None narrows nothing."""

    month: str
    """Its start, canonical UTC."""
    team: str | None = None
    cost_centre: str | None = None
    reaches: tuple[Reach, ...] = ()
    """How far the roles of who asks extend: lines outside of one are not there."""
