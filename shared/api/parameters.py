"""Query parameters, as models: what is not in them is refused by name."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from shared.domain.fragment import EVIDENCE
from shared.domain.interaction import OPERATIONS, State
from shared.domain.questions import FindingFilter, InteractionFilter
from shared.domain.values import COUNT_LIMIT, utc
from shared.domain.verdicts import CATEGORIES, SEVERITIES, SIDES
from shared.errors import InvalidRequestError
from shared.services.completeness import KINDS

__all__ = [
    "DIMENSIONS",
    "DiscardRequest",
    "FindingParameters",
    "InteractionParameters",
    "ListParameters",
    "NoParameters",
    "PromptParameters",
    "ReplayRequest",
    "UsageParameters",
    "refuse_repeats",
]

DIMENSIONS: Final = {
    to_camel(name): name
    for name in (
        "operation",
        "model",
        "deployment",
        "subscription_id",
        "product_id",
        "caller_ip",
        "app_id",
        "user_id",
    )
}
"""What usage can be grouped by: its public name -> its column (a test compares them with the rollups)."""

_SOURCES: Final = sorted({evidence.source for evidence in EVIDENCE.values()} - {""})
_MOST_WORDS: Final = 20
_MOST_REPLAYED: Final = 100
"""Events of a megabyte each at most, all in memory at one time."""


def refuse_repeats(request: Request) -> None:
    """Raise InvalidRequestError when a parameter is given twice: which of them was meant?"""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise InvalidRequestError(name, "give it once")
        seen.add(name)


def _moment(value: str) -> str:
    moment = utc(value)
    if moment is None:
        raise ValueError("give an ISO 8601 time such as 2026-01-02T03:04:05Z (in a URL, + is written %2B)")
    return moment


def _not_before_from(value: str | None, info: ValidationInfo) -> str | None:
    start = info.data.get("from_")
    if value is not None and start is not None and value < start:
        raise ValueError("it stands before `from`")
    return value


def _one_of(known: Sequence[str], value: str) -> str:
    if value not in known:
        raise ValueError(f"give one of {', '.join(known)}")
    return value


def _words(value: str) -> str:
    if not 1 <= len(value.split()) <= _MOST_WORDS:
        raise ValueError(f"give 1 to {_MOST_WORDS} words")
    return value


def _dimensions(value: str) -> str:
    names = value.split(",") if value else []
    if len(set(names)) != len(names) or not DIMENSIONS.keys() >= set(names):
        raise ValueError(f"give some of {', '.join(DIMENSIONS)}, each once, with commas between")
    return value


_Operation = Annotated[
    str, AfterValidator(partial(_one_of, OPERATIONS)), Field(json_schema_extra={"enum": [*OPERATIONS]})
]
_Source = Annotated[str, AfterValidator(partial(_one_of, _SOURCES)), Field(json_schema_extra={"enum": [*_SOURCES]})]
_Category = Annotated[
    str, AfterValidator(partial(_one_of, CATEGORIES)), Field(json_schema_extra={"enum": [*CATEGORIES]})
]
_Severity = Annotated[
    str, AfterValidator(partial(_one_of, SEVERITIES)), Field(json_schema_extra={"enum": [*SEVERITIES]})
]
_Side = Annotated[str, AfterValidator(partial(_one_of, SIDES)), Field(json_schema_extra={"enum": [*SIDES]})]
_Kind = Annotated[str, AfterValidator(partial(_one_of, tuple(KINDS))), Field(json_schema_extra={"enum": [*KINDS]})]
_Moment = Annotated[str, AfterValidator(_moment)]
_Text = Annotated[str, Field(min_length=1, max_length=256)]


class NoParameters(BaseModel):
    """For routes that take none."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    def question(self) -> str:
        """Return what tells this question from others, whichever page of the answer is asked for."""
        asked = self.model_dump_json(exclude={"limit", "cursor"}, exclude_none=True)
        return hashlib.sha256(f"{type(self).__name__} {asked}".encode()).hexdigest()[:16]


class ListParameters(NoParameters):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=1000, description="most items in the answer")] = 100
    cursor: Annotated[str | None, Field(min_length=1, description="nextCursor of the page before")] = None


class _RangeParameters(ListParameters):
    from_: Annotated[_Moment | None, Field(alias="from", description="earliest time, ISO 8601, inclusive")] = None
    to: Annotated[_Moment | None, Field(description="latest time, ISO 8601, exclusive")] = None

    _in_order = field_validator("to")(_not_before_from)


class PromptParameters(_RangeParameters):
    """What the prompt list can be narrowed to."""

    model: _Text | None = None
    caller_ip: _Text | None = None

    def narrow(self) -> InteractionFilter:
        """Return the filter that the parameters ask for."""
        plain = self.model_dump(exclude={"limit", "cursor", "from_", "to", "q"})
        return InteractionFilter(occurred_from=self.from_, occurred_before=self.to, **plain)


class InteractionParameters(PromptParameters):
    """What the list of interactions can be narrowed to."""

    operation: Annotated[_Operation | None, Field(description="`other` finds unknown ones too")] = None
    deployment: _Text | None = None
    subscription_id: _Text | None = None
    product_id: _Text | None = None
    user_id: _Text | None = None
    app_id: _Text | None = None
    http_status: Annotated[int | None, Field(ge=0, le=999)] = None
    state: State | None = None
    streamed: Annotated[bool | None, Field(description="false: known not to be streamed")] = None
    filtered: Annotated[
        bool | None, Field(description="true: the content filter acted on prompt or completion; false: all others")
    ] = None
    filter_category: Annotated[
        _Category | None, Field(description="what the content filter found, whether it acted or not")
    ] = None
    filter_severity: Annotated[
        _Severity | None, Field(description="at least this severe: hate, sexual, violence or self_harm")
    ] = None
    filter_side: Annotated[_Side | None, Field(description="where the content filter found something")] = None
    min_total_tokens: Annotated[int | None, Field(ge=0, lt=COUNT_LIMIT)] = None
    source: Annotated[_Source | None, Field(description="a source that tells of the call")] = None
    bypass: Annotated[
        bool | None, Field(description="true: calls that only Azure OpenAI's own log knows, past the gateway")
    ] = None
    q: Annotated[
        Annotated[str, Field(max_length=400), AfterValidator(_words)] | None,
        Field(description="words that all occur in prompt or completion; needs Content.Read"),
    ] = None


class FindingParameters(_RangeParameters):
    """What the list of findings can be narrowed to."""

    hub: _Text | None = None
    kind: Annotated[_Kind | None, Field(description="what is missing")] = None
    resolved: Annotated[bool | None, Field(description="false: still missing")] = None

    def narrow(self) -> FindingFilter:
        """Return the filter that the parameters ask for."""
        return FindingFilter(
            starts_from=self.from_, starts_before=self.to, hub=self.hub, kind=self.kind, resolved=self.resolved
        )


class ReplayRequest(NoParameters):
    """Which events of quarantine to try again: by id, or by the time they were enqueued."""

    ids: Annotated[list[_Text] | None, Field(min_length=1, max_length=_MOST_REPLAYED)] = None
    from_: Annotated[_Moment | None, Field(alias="from", description="earliest time, ISO 8601, inclusive")] = None
    to: Annotated[_Moment | None, Field(description="latest time, ISO 8601, exclusive")] = None
    limit: Annotated[int, Field(ge=1, le=_MOST_REPLAYED, description="most events of a range in one call")] = 100
    cursor: Annotated[str | None, Field(min_length=1, description="nextCursor of the call before")] = None

    _in_order = field_validator("to")(_not_before_from)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "ReplayRequest":
        if (self.ids is None) == (self.from_ is None and self.to is None):
            raise ValueError("give ids, or a range by from, to or both")
        return self


class DiscardRequest(NoParameters):
    """Why an event is worth nothing."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]


class UsageParameters(_RangeParameters):
    """Into which groups usage is added up."""

    group_by: Annotated[
        Annotated[str, AfterValidator(_dimensions)],
        Field(description=f"some of {', '.join(DIMENSIONS)}, with commas between; none gives totals"),
    ] = ""
    interval: Annotated[
        Literal["hour", "day", "month"] | None,
        Field(description="length of a row's time; none adds up the whole range"),
    ] = None

    def dimensions(self) -> tuple[str, ...]:
        """Return the columns to group by, in the order asked for."""
        return tuple(DIMENSIONS[name] for name in self.group_by.split(",")) if self.group_by else ()
