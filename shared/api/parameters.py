"""Query parameters, as models: what is not in them is refused by name."""

import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from shared.domain.values import utc
from shared.domain.words import query_of
from shared.errors import InvalidRequestError
from shared.questions import FILTERS, Count, Filter, FindingFilter, InteractionFilter, UsageQuery
from shared.services.completeness import KINDS

__all__ = [
    "DIMENSIONS",
    "TOP_MEASURES",
    "DiscardRequest",
    "FindingParameters",
    "InteractionParameters",
    "ListParameters",
    "Moment",
    "NoParameters",
    "OwnUsageParameters",
    "PromptParameters",
    "RangeParameters",
    "ReplayRequest",
    "SearchRequest",
    "StatisticsParameters",
    "Text",
    "TextParameters",
    "TopParameters",
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
        "vendor",
        "currency",
        "team",
        "cost_centre",
    )
}
"""What usage can be grouped by: its public name -> its column (a test compares them with the rollups)."""

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
    if len(value.split()) > _MOST_WORDS:
        raise ValueError(f"give 1 to {_MOST_WORDS} words")
    query_of(value)
    return value


def _dimensions(value: str) -> str:
    names = value.split(",") if value else []
    if len(set(names)) != len(names) or not DIMENSIONS.keys() >= set(names):
        raise ValueError(f"give some of {', '.join(DIMENSIONS)}, each once, with commas between")
    return value


_Kind = Annotated[str, AfterValidator(partial(_one_of, tuple(KINDS))), Field(json_schema_extra={"enum": [*KINDS]})]
Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]
Text = Annotated[str, Field(min_length=1, max_length=256)]
_Amount = Annotated[
    Decimal, Field(ge=0, lt=1_000_000, decimal_places=12), WithJsonSchema({"type": "number", "minimum": 0})
]
_Question = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_words)]
_QUESTION_FORM: Final = (
    'what must all occur in prompt or completion: `word`, `begin*`, `"words that follow each other"`'
)


class NoParameters(BaseModel):
    """For routes that take none."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    def question(self) -> str:
        """Return what distinguishes this question from others, whichever page of the answer it wants."""
        parameters = self.model_dump_json(exclude={"limit", "cursor", "purpose", "total"}, exclude_none=True)
        return hashlib.sha256(f"{type(self).__name__} {parameters}".encode()).hexdigest()[:16]


_Purpose = Annotated[Text | None, Field(description="why texts are read, as X-Case-Id says too; it is recorded")]


class TextParameters(NoParameters):
    """For routes that answer with texts, and take no other parameter."""

    purpose: _Purpose = None


class ListParameters(NoParameters):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=1000, description="most items in the answer")] = 100
    cursor: Annotated[str | None, Field(min_length=1, description="nextCursor of the page before")] = None


class RangeParameters(ListParameters):
    """A page of a list that goes by time."""

    from_: Annotated[Moment | None, Field(alias="from", description="earliest time, ISO 8601, inclusive")] = None
    to: Annotated[Moment | None, Field(description="latest time, ISO 8601, exclusive")] = None

    _in_order = field_validator("to")(_not_before_from)


_Parameters = TypeVar("_Parameters", bound=RangeParameters)


def _filtered_by(*names: str) -> Callable[[type[_Parameters]], type[_Parameters]]:
    """Return a decorator that gives a model a parameter for each of `FILTERS` that is named."""

    def expanded(model: type[_Parameters]) -> type[_Parameters]:
        fields: dict[str, Any] = {name: (_kind_of(FILTERS[name]), None) for name in names}
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return expanded


def _filters_of(parameters: BaseModel) -> dict[str, Any]:
    """Return the values of those of `FILTERS` that a model has parameters for."""
    return {name: getattr(parameters, name) for name in FILTERS if name in type(parameters).model_fields}


def _kind_of(one: Filter) -> Any:  # noqa: ANN401  # an annotation
    """Return what pydantic checks of a filter's value, which may be left out."""
    kind = one.values
    if isinstance(kind, Count):
        return Annotated[int | None, Field(ge=0, le=kind.most, lt=kind.below, description=one.description)]
    if isinstance(kind, tuple):
        words = Field(json_schema_extra={"enum": [*kind]})
        kind = Annotated[str, AfterValidator(partial(_one_of, kind)), words]
    elif kind is str:
        kind = Text
    elif kind is Decimal:
        kind = _Amount
    return Annotated[kind | None, Field(description=one.description)]


@_filtered_by("model", "caller_ip")
class PromptParameters(RangeParameters):
    """What the prompt list can be narrowed to."""

    purpose: _Purpose = None

    def narrow(self) -> InteractionFilter:
        """Return the filter that the parameters ask for."""
        return InteractionFilter(occurred_from=self.from_, occurred_before=self.to, **_filters_of(self))


@_filtered_by(*(name for name in FILTERS if name not in {"occurred_from", "occurred_before", "model", "caller_ip"}))
class _CallParameters(PromptParameters):
    """All that a list of interactions is narrowed by in the database."""


class InteractionParameters(_CallParameters):
    """What the list of interactions can be narrowed to."""

    q: Annotated[
        _Question | None,
        Field(description=f"{_QUESTION_FORM}; needs Content.Read"),
    ] = None
    total: Annotated[bool, Field(description="says how many there are on all pages; not with `q`")] = False


class SearchRequest(_CallParameters):
    """The same as a body, so that what is sought stands in no log of addresses."""

    q: Annotated[_Question, Field(description=_QUESTION_FORM)]


class FindingParameters(RangeParameters):
    """What the list of findings can be narrowed to."""

    hub: Text | None = None
    kind: Annotated[_Kind | None, Field(description="what is missing")] = None
    resolved: Annotated[bool | None, Field(description="false: still missing")] = None

    def narrow(self) -> FindingFilter:
        """Return the filter that the parameters ask for."""
        return FindingFilter(
            starts_from=self.from_, starts_before=self.to, hub=self.hub, kind=self.kind, resolved=self.resolved
        )


class ReplayRequest(NoParameters):
    """Which events of quarantine to try again: by id, or by the time they were enqueued."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": "2026-03-01", "to": "2026-04-01"}]})

    ids: Annotated[list[Text] | None, Field(min_length=1, max_length=_MOST_REPLAYED)] = None
    from_: Annotated[Moment | None, Field(alias="from", description="earliest time, ISO 8601, inclusive")] = None
    to: Annotated[Moment | None, Field(description="latest time, ISO 8601, exclusive")] = None
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


_GROUPS: Final = "^(({0})(,({0}))*)?$".format("|".join(DIMENSIONS))


class _SumParameters(RangeParameters):
    group_by: Annotated[
        Annotated[str, AfterValidator(_dimensions), Field(json_schema_extra={"pattern": _GROUPS})],
        Field(description=f"some of {', '.join(DIMENSIONS)}, with commas between; none gives totals"),
    ] = ""
    interval: Annotated[
        Literal["hour", "day", "month"] | None,
        Field(description="length of a row's time; none adds up the whole range"),
    ] = None

    def query(self) -> UsageQuery:
        """Return the question that the parameters ask."""
        return UsageQuery(
            dimensions=tuple(DIMENSIONS[name] for name in self.group_by.split(",")) if self.group_by else (),
            interval=self.interval,
            starts_from=self.from_,
            starts_before=self.to,
            narrow=InteractionFilter(**_filters_of(self)),
        )


_DIMENSION_FILTERS: Final = tuple(name for name, one in FILTERS.items() if one.column in DIMENSIONS.values())


@_filtered_by(*_DIMENSION_FILTERS)
class UsageParameters(_SumParameters):
    """Which usage is added up, and into which groups."""


class StatisticsParameters(UsageParameters):
    """Of which groups statistics are told."""

    limit: Annotated[int, Field(ge=1, le=200, description="most items in the answer")] = 100


TOP_MEASURES: Final = {"requests": "requests", "tokens": "total_tokens", "amount": "amount", "errors": "errors"}
"""What groups are the largest by: its public name -> the measure."""


@_filtered_by(*_DIMENSION_FILTERS)
class TopParameters(RangeParameters):
    """Which groups are the largest, and by what."""

    by: Literal[
        "userId", "team", "model", "appId", "deployment", "subscriptionId", "productId", "callerIp", "costCentre"
    ]
    measure: Literal["requests", "tokens", "amount", "errors"] = "requests"
    limit: Annotated[int, Field(ge=1, le=100, description="most items in the answer")] = 10
    cursor: Annotated[None, Field(description="there is one page alone")] = None

    def query(self) -> UsageQuery:
        """Return the question that the parameters ask: amounts of several currencies are never added up."""
        dimensions = (DIMENSIONS[self.by], "currency") if self.measure == "amount" else (DIMENSIONS[self.by],)
        return UsageQuery(
            dimensions=dimensions,
            starts_from=self.from_,
            starts_before=self.to,
            narrow=InteractionFilter(**_filters_of(self)),
        )


@_filtered_by(*(name for name in _DIMENSION_FILTERS if name != "user_id"))
class OwnUsageParameters(_SumParameters):
    """Which of the caller's own usage is added up, and into which groups."""
