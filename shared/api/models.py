"""The shapes of answers: what the OpenAPI document says, and what `views.py` builds them from."""

from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.domain.interaction import Provenance, State
from shared.pricing.charge import Confidence

__all__ = [
    "Balance",
    "BalanceCounts",
    "CallError",
    "Column",
    "ContentFilter",
    "ContentTexts",
    "Discarded",
    "FoundAmiss",
    "Interaction",
    "InteractionCharge",
    "Model",
    "Page",
    "PartitionBalance",
    "Problem",
    "Prompt",
    "QuarantinedBody",
    "QuarantinedEvent",
    "ReplayResult",
    "Snippet",
    "TokenUsage",
    "Usage",
]

Item = TypeVar("Item")


class Column(NamedTuple):
    """Of the ledger, where a field has another name."""

    name: str


class Model(BaseModel):
    """What is named in camelCase, and has no other member."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Page(Model, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end")


class Snippet(Model):
    """Where a text matches."""

    part: Literal["prompt", "completion"]
    text: str


class TokenUsage(Model):
    """What a call used; null is unknown, never 0."""

    input_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: Annotated[int | None, Field(alias="cacheWrite1hTokens")] = Field(
        description="those that are kept for an hour"
    )
    output_tokens: int | None
    reasoning_tokens: int | None
    audio_input_tokens: int | None
    audio_output_tokens: int | None
    image_input_tokens: int | None
    image_output_tokens: int | None
    total_tokens: int | None
    images: int | None
    seconds: float | None
    characters: int | None
    provenance: Annotated[Provenance, Column("usage_provenance")]


class ContentFilter(Model):
    """What the content filter did; null is unknown."""

    prompt_filtered: bool | None
    completion_filtered: bool | None
    failed: Annotated[bool, Column("filter_failed")] = Field(
        description="true: the filter says that it did not run, or not on all of it"
    )
    categories: Annotated[Any, Column("filter_categories")]


class InteractionCharge(Model):
    """What a call costs; `docs/cost.md` says how it comes about."""

    amount: Annotated[float | None, Column("charge_amount")] = Field(
        description="exact, to 12 places: read it as a decimal; null: not known"
    )
    currency: Annotated[str | None, Column("charge_currency")]
    price_version: Annotated[str | None, Column("charge_price_version")] = Field(
        description="of the price book, with which the newest of its prices came"
    )
    confidence: Annotated[Confidence, Column("charge_confidence")]
    reason: Annotated[str | None, Column("charge_reason")] = Field(description="why it is not exact, in a word")


class CallError(Model):
    """The error that the caller of the model saw."""

    code: Annotated[str | None, Column("error_code")]
    message: Annotated[str | None, Column("error_message")]


class Interaction(Model):
    """One client call to one Azure OpenAI operation; null is unknown, unknown lists are empty."""

    id: str
    occurred_at: str = Field(description="ISO 8601, UTC, milliseconds")
    state: State
    awaited: list[str] = Field(description="what a pending or incomplete interaction lacks, and why it is not there")
    operation: str
    operation_id: str | None
    method: str | None
    path: str | None
    api_version: str | None
    deployment: str | None = Field(description="asked for")
    served_deployment: str | None = Field(description="the one that answered, where another did: spill-over")
    spillover: dict[str, Any] | None = Field(description="why another deployment answered, by the service's headers")
    model: str | None = Field(description="the one that served")
    requested_model: str | None = Field(description="the name asked for: a model, an alias or a router")
    vendor: str | None = Field(description="whose model it is; null where no model is known")
    cached: bool | None = Field(description="true: answered from a cache, no new usage")
    streamed: bool | None
    http_status: int | None
    caller_ip: str | None
    subscription_id: str | None
    product_id: str | None
    api_id: str | None
    user_id: str | None
    app_id: str | None
    identity: dict[str, Any] | None
    session_id: str | None
    end_user_id: str | None
    tags: dict[str, Any] | None
    team: Annotated[str | None, Column("charge_team")] = Field(
        description="who pays, as of the call; null: nobody is known to, or its hour is not summed yet"
    )
    cost_centre: Annotated[str | None, Column("charge_cost_centre")]
    gateway_region: str | None
    backend_id: str | None
    attempts: list[Any]
    request_bytes: int | None
    response_bytes: int | None
    latency_ms: float | None
    backend_ms: float | None
    time_to_first_byte_ms: float | None
    response_id: str | None
    usage: TokenUsage
    service_tier: str | None = Field(description="that the answer names: the price follows it")
    web_searches: int | None
    file_searches: int | None = Field(description="in files, by the tool of that name")
    code_sessions: int | None = Field(description="of the code interpreter: containers in which code ran")
    charge: InteractionCharge | None = Field(description="null until the rollup of its hour is made")
    parameters: dict[str, Any] | None
    finish_reasons: list[Any]
    tool_calls: int | None
    content_filter: ContentFilter
    error: CallError | None
    prompt_preview: str | None = Field(description="first 100 characters; null without Content.Read")
    completion_preview: str | None = Field(description="first 100 characters; null without Content.Read")
    truncated: bool = Field(description="true: a part of request or answer is missing")
    unreadable: str | None = Field(description="what the answer is, where it is not what the operation answers")
    not_captured: str | None = Field(description="why the gateway sent no body")
    time_replaced: bool = Field(description="true: no event told a possible time; occurredAt is when one was enqueued")
    callers_differ: bool = Field(description="true: events of this id name different callers")
    possible_refusal: bool = Field(description="true: looks like a refusal by policy, in words that are not known")
    unknown_words: list[str] = Field(description="words of the service that are not known here: kind, colon, word")
    sources: list[str]
    snippet: Snippet | None = Field(default=None, description="in answers to `q` alone: where the texts match")


class ContentTexts(Model):
    """The texts as plain strings and the bodies as JSON, or as a string where they are none."""

    prompt: str | None
    completion: str | None
    request: Any
    response: Any


class Usage(Model):
    """One group's usage. Dimensions that were not asked for are left out."""

    operation: str | None = None
    model: str | None = None
    deployment: str | None = None
    subscription_id: str | None = None
    product_id: str | None = None
    caller_ip: str | None = None
    app_id: str | None = None
    user_id: str | None = None
    vendor: str | None = None
    team: str | None = None
    cost_centre: str | None = None
    interval_start: str | None = Field(description="without an interval: the start of the range, null when open")
    requests: int
    errors: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    total_tokens: int
    average_total_tokens: float | None = Field(
        description="over the requests whose tokens are known, repeated usage once"
    )
    unmetered_requests: int
    cached_requests: int = Field(description="answered from a cache: their usage was counted before")
    filtered_requests: int = Field(description="the content filter acted on prompt or completion")
    prompt_filtered: int
    completion_filtered: int
    jailbreaks: int = Field(description="found, whether the filter acted or not; so are those below")
    indirect_attacks: int
    protected_material: int = Field(description="text or code")
    blocklisted: int
    filter_failures: int = Field(description="the filter says that it did not run")
    unpriced_requests: int = Field(description="that the price book has no price for")
    throttled_requests: int = Field(description="answered with 429: a limit of the gateway's or of the service's")
    amount: float | None = Field(
        description="the sum of the charges that are known, exact: read it as a decimal; null: of none, or of several"
        " currencies, which groupBy=currency tells apart"
    )
    currency: str | None


class Prompt(Model):
    """A call, its prompt's size and its beginning."""

    id: str
    occurred_at: str
    model: str | None
    input_tokens: int | None
    prompt_preview: str | None = Field(description="first 100 characters; null without Content.Read")


class BalanceCounts(Model):
    """Events received, and where each of them is: the five after `received` add up to it."""

    received: int
    stored: int
    duplicate: int
    pending: int
    skipped: int
    quarantined: int


class PartitionBalance(BalanceCounts):
    """The balance of one partition."""

    hub: str
    partition: str
    last_sequence: int | None
    last_enqueued_at: str | None


class Balance(Page[PartitionBalance]):
    """The balance of every partition; never more than one page."""

    total: BalanceCounts


class QuarantinedEvent(Model):
    """An event that cannot be understood; its bytes are not shown."""

    id: str
    hub: str
    partition: Annotated[str, Column("partition_id")]
    sequence: int
    enqueued_at: str
    reason: str
    parser_version: str
    size: int = Field(description="bytes as received")


class QuarantinedBody(Model):
    """The bytes of an event: as text when they are UTF-8, else in base64; keys and tokens were taken out."""

    id: str
    hub: str
    partition: str
    sequence: int
    enqueued_at: str
    body: str | None
    body_base64: str | None


class ReplayResult(BalanceCounts):
    """What became of the events that were tried again: how many are in which class now."""

    received: int = Field(description="events tried")
    quarantined: int = Field(description="events that still cannot be read")
    unknown: list[str] = Field(description="ids that are not in quarantine, or not any more")
    next_cursor: str | None = Field(description="`cursor` for the rest of the range; null at its end")


class Discarded(Model):
    """An event whose bytes were forgotten."""

    id: str
    discarded: bool


class FoundAmiss(Model):
    """Something missing in an hour, of one kind."""

    hub: str | None = Field(description="null where the kind is not of one hub")
    hour: str = Field(description="the hour's beginning, UTC")
    kind: str
    number: int = Field(description="of events, sequence numbers or interactions")
    detail: Any
    found_at: str
    resolved_at: str | None = Field(description="when a check did not find it any more; null while it holds")


class Problem(BaseModel):
    """A problem document, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    parameter: str | None = Field(default=None, description="400: the parameter or header that is wrong")
    errors: list[dict[str, str]] | None = Field(default=None, description="400: every `parameter`, with its `detail`")
    role: str | None = Field(default=None, description="403: the role that is missing")
