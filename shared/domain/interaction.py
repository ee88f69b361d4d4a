"""The interaction: its fields, what each is about, and how they are stored.

An interaction is a mapping from field name to value; an unknown field is absent. This
table is the only list of the fields: the SQL columns, the merge and the audit API follow it. To
add a field: one line here, one migration (CONTRIBUTING.md has the recipe).
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final

from shared.domain.verdicts import VERDICTS

__all__ = [
    "CONTENT_FIELDS",
    "FIELDS",
    "FIELD_NAMES",
    "METERED",
    "OPERATIONS",
    "PREVIEW_LENGTH",
    "Aspect",
    "Facts",
    "Field",
    "Kind",
    "Provenance",
    "State",
]

Facts = dict[str, Any]
"""Field name -> value. JSON fields hold canonical JSON text, times the canonical UTC text."""

PREVIEW_LENGTH: Final = 100
"""Characters of prompt and completion kept beside the facts, as the article's second query asks."""


class State(StrEnum):
    """How much of an interaction is known, or who ended it."""

    COMPLETE = "complete"
    PENDING = "pending"
    """A part is still awaited."""
    INCOMPLETE = "incomplete"
    """The wait for a part was given up; the part still merges if it comes."""
    REFUSED = "refused"
    """API Management or the content filter said no."""
    FAILED = "failed"


class Provenance(StrEnum):
    """Where token counts come from, best first."""

    REPORTED = "reported"
    """By the service, in the answer's own usage."""
    LOGGED = "logged"
    """By a usage record or log row about the call."""
    ESTIMATED = "estimated"
    MISSING = "missing"


class Kind(Enum):
    """What a field's values are, in Python and in SQL."""

    TEXT = "text"
    JSON = "json"
    TIME = "time"
    COUNT = "count"
    NUMBER = "number"
    FLAG = "flag"


class Aspect(Enum):
    """What a field is about: the record types have a rank for each (`shared.domain.record_types`)."""

    GENERAL = "general"
    REQUEST = "request"
    ERROR = "error"
    TIME = "time"
    MODEL = "model"
    PROMPT = "prompt"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the interaction and the rule by which sources compete for it."""

    name: str
    kind: Kind
    limit: int = 0
    """Most UTF-16 units of a text."""
    aspect: Aspect = Aspect.GENERAL
    """Says which records win. A better one replaces a worse one whatever the order they come in."""
    earliest: bool = False
    """Of the record types that tell the start, all are equals: the earliest value wins, whosever it is. Between
    values of any one type the smaller wins then too, not the larger."""
    unites: bool = False
    """A list of words of which every record's are kept (`shared.domain.unknown_words`)."""
    content: bool = False
    """Whether it holds a text of people, models or services: nobody sees it without the right to read content."""


FIELDS: Final[tuple[Field, ...]] = (
    # When, and how it went
    Field("occurred_at", Kind.TIME, aspect=Aspect.TIME, earliest=True),
    Field("has_request", Kind.FLAG),
    Field("has_response", Kind.FLAG),
    Field("gateway_refused", Kind.FLAG),
    Field("http_status", Kind.COUNT, aspect=Aspect.ERROR),
    Field("error_code", Kind.TEXT, limit=128, aspect=Aspect.ERROR),
    Field("error_message", Kind.TEXT, limit=1024, aspect=Aspect.ERROR, content=True),
    # What was asked
    Field("operation", Kind.TEXT, limit=32, aspect=Aspect.REQUEST),
    Field("operation_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("method", Kind.TEXT, limit=16, aspect=Aspect.REQUEST),
    Field("path", Kind.TEXT, limit=1024, aspect=Aspect.REQUEST),
    Field("api_version", Kind.TEXT, limit=32, aspect=Aspect.REQUEST),
    Field("deployment", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("model", Kind.TEXT, limit=128, aspect=Aspect.MODEL),
    Field("streamed", Kind.FLAG),
    Field("parameters", Kind.JSON, aspect=Aspect.REQUEST),
    Field("request_bytes", Kind.COUNT, aspect=Aspect.REQUEST),
    Field("prompt_preview", Kind.TEXT, limit=2 * PREVIEW_LENGTH, aspect=Aspect.PROMPT, content=True),
    # Who asked
    Field("caller_ip", Kind.TEXT, limit=64, aspect=Aspect.REQUEST),
    Field("subscription_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("product_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("api_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("user_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("app_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("identity", Kind.JSON, aspect=Aspect.REQUEST),
    Field("session_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("end_user_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("client_request_id", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("tags", Kind.JSON, aspect=Aspect.REQUEST),
    # Who answered
    Field("gateway_name", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("gateway_region", Kind.TEXT, limit=64, aspect=Aspect.REQUEST),
    Field("backend_id", Kind.TEXT, limit=256),
    Field("backend_host", Kind.TEXT, limit=256),
    Field("attempts", Kind.JSON),
    Field("response_headers", Kind.JSON),
    Field("response_id", Kind.TEXT, limit=128),
    Field("response_bytes", Kind.COUNT),
    Field("latency_ms", Kind.NUMBER),
    Field("backend_ms", Kind.NUMBER),
    Field("time_to_first_byte_ms", Kind.NUMBER),
    # What came back
    Field("finish_reasons", Kind.JSON),
    Field("tool_calls", Kind.COUNT),
    Field("completion_preview", Kind.TEXT, limit=2 * PREVIEW_LENGTH, content=True),
    Field("prompt_filtered", Kind.FLAG),
    Field("completion_filtered", Kind.FLAG),
    Field("filter_categories", Kind.JSON),
    Field("truncated", Kind.FLAG),
    # What it used
    Field("usage_key", Kind.TEXT, limit=128),
    Field("input_tokens", Kind.COUNT),
    Field("cached_input_tokens", Kind.COUNT),
    Field("cache_write_tokens", Kind.COUNT),
    Field("output_tokens", Kind.COUNT),
    Field("reasoning_tokens", Kind.COUNT),
    Field("audio_input_tokens", Kind.COUNT),
    Field("audio_output_tokens", Kind.COUNT),
    Field("image_input_tokens", Kind.COUNT),
    Field("image_output_tokens", Kind.COUNT),
    Field("total_tokens", Kind.COUNT),
    Field("images", Kind.COUNT),
    Field("seconds", Kind.NUMBER),
    Field("characters", Kind.COUNT),
    # What the content filter found, where that is above safe (shared/domain/verdicts.py)
    *(Field(verdict.field, Kind.TEXT, limit=32) for verdict in VERDICTS),
    # What else the answer, and the way to it, tell
    Field("requested_model", Kind.TEXT, limit=128, aspect=Aspect.REQUEST),
    Field("served_deployment", Kind.TEXT, limit=128),
    Field("spillover", Kind.JSON),
    Field("cached", Kind.FLAG, aspect=Aspect.CACHE),
    Field("filter_failed", Kind.FLAG),
    Field("possible_refusal", Kind.FLAG, aspect=Aspect.ERROR),
    Field("unreadable", Kind.TEXT, limit=32),
    Field("not_captured", Kind.TEXT, limit=32),
    Field("time_replaced", Kind.FLAG),
    Field("callers_differ", Kind.FLAG),
    Field("unknown_words", Kind.JSON, unites=True),
    # What decides the price beside the tokens
    Field("service_tier", Kind.TEXT, limit=16),
    Field("web_searches", Kind.COUNT),
    Field("cache_write_1h_tokens", Kind.COUNT),
    Field("file_searches", Kind.COUNT),
    Field("code_sessions", Kind.COUNT),
)

FIELD_NAMES: Final = tuple(field.name for field in FIELDS)
CONTENT_FIELDS: Final = tuple(field.name for field in FIELDS if field.content)
"""The fields that are content: the audit API, and the roles of the database, show them to readers of content alone."""
METERED: Final = FIELD_NAMES[FIELD_NAMES.index("input_tokens") : FIELD_NAMES.index("characters") + 1]
"""The fields that say what a call used."""

OPERATIONS: Final = (
    "chat.completions",
    "completions",
    "embeddings",
    "responses",
    "images.generations",
    "images.edits",
    "images.variations",
    "audio.transcriptions",
    "audio.translations",
    "audio.speech",
    "assistants",
    "threads",
    "threads.messages",
    "threads.runs",
    "threads.runs.steps",
    "files",
    "uploads",
    "vector_stores",
    "fine_tuning.jobs",
    "batches",
    "models",
    "deployments",
    "realtime",
    "containers",
    "evals",
    "conversations",
    "moderations",
    "messages",
    "generateContent",
    "converse",
    "invoke",
    "videos",
    "other",
)
"""Every value of `operation`; sub-resources belong to the named family."""
