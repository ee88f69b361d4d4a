"""What pages ask of usage: sums of a range, and its largest groups."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from shared.api.dashboard.ranges import Range
from shared.api.parameters import DIMENSIONS, UsageParameters
from shared.domain.reach import Reach
from shared.domain.traits import Spread
from shared.questions import UsageQuery
from shared.services.audit import AuditService
from shared.stores.ports import Row

__all__ = ["MOST_GROUPS", "NAMES", "Group", "TopList", "Within", "spread_in", "top_list", "totals_of", "usage_query"]

MOST_GROUPS: Final = 1_000
"""That a page looks at."""
_TOP: Final = 5
NAMES: Final = {
    "model": "model",
    "subscriptionId": "subscription",
    "deployment": "deployment",
    "operation": "operation",
    "appId": "application",
    "userId": "user",
    "team": "team",
    "costCentre": "cost centre",
    "productId": "product",
    "callerIp": "address",
    "vendor": "vendor",
}
_SUMS: Final = (
    "requests",
    "errors",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "filtered_requests",
    "unpriced_requests",
    "unmetered_requests",
    "cached_requests",
    "throttled_requests",
)


Within = Sequence[Reach]
"""To which calls the caller's role extends."""


class Group(NamedTuple):
    """One line of a top list."""

    name: str | None
    requests: int
    tokens: int
    errors: int
    unpriced: int
    amount: Decimal | None
    currency: str | None
    share: str
    """Of the longest bar, in per cent."""


class TopList(NamedTuple):
    """The largest groups of one dimension."""

    dimension: str
    title: str
    groups: list[Group]
    others: int
    is_cut: bool


def usage_query(
    query: UsageParameters, within: Within, start: str, end: str, *dimensions: str, interval: str | None = None
) -> UsageQuery:
    """Return the question for the usage from `start` to `end` by some dimensions, as far as a role extends."""
    columns = tuple(DIMENSIONS[name] for name in dimensions)
    question = query.query()
    narrow = question.narrow.within(within)
    return replace(question, narrow=narrow, dimensions=columns, interval=interval, starts_from=start, starts_before=end)


def totals_of(
    audit: AuditService, query: UsageParameters, within: Within, start: str, end: str
) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Return the sums of a range, and the amount in each currency."""
    rows = audit.usage(usage_query(query, within, start, end, "currency"), after=None, limit=MOST_GROUPS).rows
    amounts = {row["currency_of_amount"]: row["amount"] for row in rows if row["currency_of_amount"]}
    return {name: sum(row[name] for row in rows) for name in _SUMS}, amounts


def spread_in(audit: AuditService, query: UsageParameters, within: Within, start: str, end: str) -> Spread:
    """Return how long the calls of a range took, and how they failed."""
    found = audit.statistics(usage_query(query, within, start, end), after=None, limit=1).rows
    return found[0][1] if found else Spread(None, None, [])


def top_list(
    audit: AuditService, query: UsageParameters, within: Within, when: Range, dimension: str, *, most: int = _TOP
) -> TopList:
    """Return up to `most` groups of a dimension, most calls first."""
    found = audit.usage(usage_query(query, within, when.start, when.end, dimension), after=None, limit=MOST_GROUPS)
    column = DIMENSIONS[dimension]
    rows = sorted(found.rows, key=lambda row: (-row["requests"], row[column] or ""))
    longest = max((row["requests"] for row in rows), default=0) or 1
    groups = [
        Group(
            row[column] or None,
            row["requests"],
            row["total_tokens"],
            row["errors"],
            row["unpriced_requests"],
            *_amount(row),
            f"{row['requests'] * 100 / longest:.1f}%",
        )
        for row in rows[:most]
    ]
    return TopList(dimension, NAMES[dimension], groups, len(rows) - len(groups), found.next is not None)


def _amount(row: Row) -> tuple[Decimal | None, str | None]:
    """Return a row's amount; None where nothing is priced, or several currencies are."""
    if row["currency_of_amount"] != row["other_currency"]:
        return None, None
    return row["amount"], row["currency_of_amount"]
