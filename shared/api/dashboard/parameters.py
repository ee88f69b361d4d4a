"""Parameters of the dashboard's pages: those of the API's lists, and which time is meant."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.api.access_models import AccessParameters
from shared.api.cost_parameters import MONTH, month_start
from shared.api.dashboard.ranges import SINCE
from shared.api.parameters import (
    DIMENSIONS,
    FindingParameters,
    InteractionParameters,
    NoParameters,
    Text,
    UsageParameters,
)
from shared.domain.values import utc_of
from shared.questions import StatementQuery

__all__ = [
    "AccessLogParameters",
    "AskParameters",
    "CallParameters",
    "ExploreParameters",
    "HeldParameters",
    "MoneyParameters",
    "OverviewParameters",
    "PeopleParameters",
    "PipelineParameters",
]


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


class PeopleParameters(UsageParameters):
    """Whose page: by one filter of usage; without one, the list of all."""

    since: _Since = "7d"
    kind: Literal["userId", "team", "appId", "callerIp", "subscriptionId"] = "userId"


class ExploreParameters(InteractionParameters):
    """Which calls are listed."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    since: _Since = "7d"


class AccessLogParameters(AccessParameters):
    """Which entries of the access log are listed."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    since: _Since = "7d"


class AskParameters(NoParameters):
    """For which case leave is asked for."""

    case: Text | None = None


class CallParameters(NoParameters):
    """Which call, and what of its texts."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    show: Literal["texts"] | None = None
    part: Literal["prompt", "completion", "request", "response"] | None = None
    at: Annotated[int, Field(ge=0)] = 0
    purpose: Text | None = None


class MoneyParameters(NoParameters):
    """Which month's money, and whose."""

    month: Annotated[str | None, Field(pattern=MONTH)] = None
    team: Text | None = None
    cost_centre: Text | None = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    model: Text | None = None
    """Whose prices are shown."""

    def statement(self, now: datetime) -> StatementQuery:
        """Return the question that the parameters ask; without a month, of the one that runs."""
        month = month_start(self.month or utc_of(now)[:7])
        return StatementQuery(month=month, team=self.team, cost_centre=self.cost_centre)


class PipelineParameters(FindingParameters):
    """Which findings are listed."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class HeldParameters(NoParameters):
    """Which event in quarantine."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
