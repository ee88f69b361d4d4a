"""What the audit API asks the ledger: how lists are narrowed, where they go on, what is added up."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["FindingFilter", "InteractionFilter", "ListKey", "UsageQuery"]


class ListKey(NamedTuple):
    """Where an item stands in a list that goes from the newest to the oldest."""

    moment: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    """What a list of interactions is narrowed to; None narrows nothing."""

    occurred_from: str | None = None
    """Inclusive."""
    occurred_before: str | None = None
    """Exclusive."""
    operation: str | None = None
    model: str | None = None
    deployment: str | None = None
    subscription_id: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    caller_ip: str | None = None
    http_status: int | None = None
    state: str | None = None
    streamed: bool | None = None
    filtered: bool | None = None
    """Whether the content filter is known to have acted on prompt or completion."""
    filter_category: str | None = None
    """What the content filter found, see `shared.domain.verdicts`, whether it acted or not."""
    filter_severity: str | None = None
    """At least this severe, of the same category and side."""
    filter_side: str | None = None
    min_total_tokens: int | None = None
    source: str | None = None
    bypass: bool | None = None
    """Whether Azure OpenAI's own log alone knows of the call: it did not come through the gateway."""


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
