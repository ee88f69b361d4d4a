"""Parameters of the dashboard's pages: those of the API's lists, and which time is meant."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.api.dashboard.ranges import SINCE
from shared.api.parameters import (
    DIMENSIONS,
    FindingParameters,
    InteractionParameters,
    NoParameters,
    Text,
    UsageParameters,
)

__all__ = ["CallParameters", "ExploreParameters", "HeldParameters", "OverviewParameters", "PipelineParameters"]


def _known(value: str) -> str:
    if value not in SINCE:
        raise ValueError(f"give one of {', '.join(SINCE)}")
    return value


def _dimension(value: str) -> str:
    if value not in DIMENSIONS or value == "currency":
        raise ValueError(f"give one of {', '.join(name for name in DIMENSIONS if name != 'currency')}")
    return value


_Since = Annotated[str, AfterValidator(_known)]


class OverviewParameters(UsageParameters):
    """Which usage the overview tells of."""

    since: _Since = "7d"
    by: Annotated[str, AfterValidator(_dimension)] = "model"
    measure: Literal["requests", "tokens", "cost", "errors", "filtered"] = "requests"


class ExploreParameters(InteractionParameters):
    """Which calls are listed."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    since: _Since = "7d"


class CallParameters(NoParameters):
    """Which call, and what of its texts."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    show: Literal["texts"] | None = None
    part: Literal["prompt", "completion", "request", "response"] | None = None
    at: Annotated[int, Field(ge=0)] = 0
    purpose: Text | None = None


class PipelineParameters(FindingParameters):
    """Which findings are listed."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class HeldParameters(NoParameters):
    """Which event in quarantine."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
