"""The shapes that `/statistics` answers in, and how rows become them."""

from collections.abc import Sequence

from pydantic import Field

from shared.api.models import Model, Usage
from shared.api.views import Answer, usage_view, view_of
from shared.domain.traits import ErrorCount, Quantiles, Spread
from shared.stores.ports import Row

__all__ = ["Statistics", "statistics_view"]


class Duration(Model):
    """How long calls took, in milliseconds, each figure within a twentieth."""

    calls: int = Field(description="that did not fail and of which it is known")
    p50: int
    p95: int
    p99: int


class ErrorsByCode(Model):
    """Calls that failed alike."""

    http_status: int | None
    code: str | None = Field(description="null: none was given; (other): what was given is no code")
    requests: int


class Statistics(Usage):
    """One group: what `/usage` says of it, how long its calls took, and how they failed."""

    latency_ms: Duration | None = Field(description="null: no call of which it is known")
    time_to_first_byte_ms: Duration | None
    errors_by_code: list[ErrorsByCode] = Field(description="the most frequent first")


def statistics_view(row: Row, spread: Spread, dimensions: Sequence[str]) -> Answer:
    """Return a group's usage with what its traits add up to."""
    return usage_view(row, dimensions) | {
        "latencyMs": _duration(spread.latency),
        "timeToFirstByteMs": _duration(spread.first_byte),
        "errorsByCode": list(map(_errors, spread.errors)),
    }


def _duration(found: Quantiles | None) -> Answer | None:
    return None if found is None else view_of(Duration, found._asdict())


def _errors(found: ErrorCount) -> Answer:
    return view_of(ErrorsByCode, found._asdict())
