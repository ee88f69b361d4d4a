"""When a call counts as an error, and which words say that it was refused: one definition for all.

Errors: for the API, the rollups and the analysts' questions.

The ledger derives its column `is_error` from `SIGNS`. The texts in `sql/` say it in their own words; tests run rows
through each.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from shared.domain.interaction import State
from shared.domain.values import Json

__all__ = [
    "FILTER_FAILURES",
    "INVALID_PROMPT",
    "REFUSALS",
    "SIGNS",
    "Sign",
    "Test",
    "is_error",
    "is_error_status",
    "is_generic",
    "is_known_error",
    "is_refusal",
    "phrase_of_refusal",
    "side_of",
    "suspect_in_message",
    "suspect_word",
]


class Test(Enum):
    """What makes a column's value an error; null makes none."""

    OUTSIDE = "outside a range"
    PRESENT = "present"
    TRUE = "true"
    ONE_OF = "one of some words"


class Sign(NamedTuple):
    """One thing that makes a call an error."""

    column: str
    test: Test
    values: tuple[Any, ...] = ()
    """Of a range: its first value, and the first behind it. Else the words."""


_SUCCESSES: Final = (100, 400)
"""From 400 on a status is an error. API Management logs 0 where the caller left before there was an answer."""

SIGNS: Final = (
    Sign("http_status", Test.OUTSIDE, _SUCCESSES),
    Sign("error_code", Test.PRESENT),
    Sign("gateway_refused", Test.TRUE),
    # A stream that broke may have said so in a message alone, which analysts without texts may not read.
    Sign("state", Test.ONE_OF, (State.FAILED.value, State.REFUSED.value)),
)
"""Each of them is enough."""

_HOLDS: Final[Mapping[Test, Callable[[Any, tuple[Any, ...]], bool]]] = {
    Test.OUTSIDE: lambda value, values: not values[0] <= value < values[1],
    Test.PRESENT: lambda _value, _values: True,
    Test.TRUE: lambda value, _values: bool(value),
    Test.ONE_OF: lambda value, values: value in values,
}


def is_error(row: Mapping[str, Any]) -> bool:
    """Return whether an interaction counts as an error: it failed, after a 200 too, was refused, or was left."""
    values = ((row.get(sign.column), sign) for sign in SIGNS)
    return any(_HOLDS[sign.test](value, sign.values) for value, sign in values if value is not None)


def is_error_status(status: int | None) -> bool:
    """Return whether an HTTP status tells an error; an unknown one tells none."""
    return status is not None and _HOLDS[Test.OUTSIDE](status, _SUCCESSES)


# Refusals: the published words with which a filter, a moderation or a policy refuses a call, and what looks like one.
# Words are compared without case and punctuation: `contentFilter` is `content_filter`. Sources: event formats, section
# 10 and 16.10; the error codes of the specifications of Azure OpenAI, Azure AI and OpenAI.

PROMPT, COMPLETION, LOGGED_ONLY = "prompt", "completion", ""

REFUSALS: Final = {
    # Azure OpenAI and Azure AI: codes, then inner codes
    "content_filter": PROMPT,
    "contentFilter": PROMPT,
    "content_policy_violation": PROMPT,
    "content_safety_violation": LOGGED_ONLY,
    "ResponsibleAIPolicyViolation": PROMPT,
    # OpenAI: images, reasoning models, kinds of harm
    "moderation_blocked": LOGGED_ONLY,
    "image_content_policy_violation": LOGGED_ONLY,
    "bio_policy": LOGGED_ONLY,
    "cyber_policy": LOGGED_ONLY,
    "misalignment_policy_violation": LOGGED_ONLY,
    # Video jobs: `failure_reason`
    "input_moderation": PROMPT,
    "output_moderation": COMPLETION,
}
"""Word, whether code, inner code, type or reason -> the side that was blocked, where the word tells."""

INVALID_PROMPT: Final = "invalid_prompt"
"""Reasoning models refuse so, and so do others what is no prompt at all: the message tells which."""

FILTER_FAILURES: Final = ("content_filter_error",)
"""The filter did not run. That is no refusal."""

_PHRASES: Final = (
    "content management policy",
    "violating our usage policy",
    "rejected as a result of our safety system",
    "rejected by the safety system",
    "failed as a result of our safety system",
    "not allowed by our safety system",
    "failed content safety check",
)
"""What the services write when they refuse, whatever the code."""

# Error codes that say no more than the HTTP status does.
_GENERIC: Final = (
    "BadRequest Bad_Request BadArgument Forbidden UserError invalid_request_error InvalidRequest invalid_request "
    "invalidPayload UnprocessableEntity unprocessable_entity model_error ModelError image_generation_user_error "
    "video_generation_user_error user_error error failed invalid_value Conflict"
).split()
# The rest of the published codes: none is a refusal.
_OTHERS: Final = (
    "account_deactivated array_above_max_length array_below_min_length authentication_error AuthenticationError "
    "AuthenticationTypeDisabled billing_hard_limit_reached billing_not_active ContentLengthExceeded "
    "context_length_exceeded decimal_above_max_value decimal_below_min_value deleted_training_file "
    "DeploymentNotFound empty_array empty_image_file failed_to_download_image fileImportFailed "
    "image_file_not_found image_file_too_large image_parse_error image_too_large image_too_small "
    "insufficient_quota integer_above_max_value integer_below_min_value internal_error internal_server_error "
    "InternalError InternalFailure InternalServerError invalid_api_key invalid_base64 invalid_base64_image "
    "invalid_file invalid_file_format invalid_function_parameters invalid_image invalid_image_format "
    "invalid_image_mode invalid_image_url invalid_json invalid_language_format invalid_model invalid_organization "
    "invalid_parameter invalid_tool_call invalid_training_file invalid_type InvalidApiKey InvalidApiVersion "
    "InvalidAuthenticationToken InvalidResourceName itemDoesAlreadyExist jsonlValidationFailed MethodNotAllowed "
    "missing_model_parameter missing_required_parameter model_not_available model_not_found model_overloaded "
    "ModelNotFound not_found not_found_error NotFound NotImplemented operation_not_supported "
    "OperationNotSupported overloaded_error permission_denied permission_error PermissionDenied "
    "previous_response_not_found quota_exceeded QuotaExceeded rate_limit_error rate_limit_exceeded "
    "RateLimitExceeded RateLimitReached request_timeout RequestEntityTooLarge requests RequestTimeout "
    "resource_exhausted ResourceNotFound server_error ServerBusy service_unavailable service_unavailable_error "
    "ServiceUnavailable string_above_max_length string_below_min_length Timeout timeout token_limit_exceeded "
    "tokens too_many_requests TooManyRequests Unauthorized unexpectedEntityState unknown_parameter unknown_url "
    "unsupported_country_region_territory unsupported_file unsupported_image_media_type unsupported_model "
    "unsupported_parameter unsupported_value UnsupportedApiVersion vector_store_timeout "
    "VirtualNetworkFirewallBlocked"
).split()

_SUSPECT_WORD: Final = re.compile(
    r"(?i)policy|policies|moderat|safety|content.?filter|filtered|responsible|(?:^|[^a-z])rai(?:[^a-z]|$)|guardrail|"
    r"jailbreak|harm|violat|flagged|unsafe|prohibited|disallowed|blocklist|abus"
)
_SUSPECT_IN_MESSAGE: Final = re.compile(
    r"(?i)\b(policy|policies|moderat(?:ion|ed)|safety|content[ -]filter\w*|filtered|responsible ai|guardrails?|"
    r"jailbreak|violat(?:es?|ed|ing|ions?)|flagged|unsafe|prohibited|disallowed|harmful)\b"
)
_PUNCTUATION: Final = re.compile(r"[^a-z0-9]+")


def _bare(word: str) -> str:
    return _PUNCTUATION.sub("", word.lower())


_SIDES: Final = {_bare(word): side for word, side in REFUSALS.items()}
_KNOWN: Final = frozenset(map(_bare, (*REFUSALS, *FILTER_FAILURES, INVALID_PROMPT, *_GENERIC, *_OTHERS)))
_SAYS_NOTHING: Final = frozenset(map(_bare, _GENERIC))


def is_refusal(word: Json) -> bool:
    """Return whether a code, inner code, type or reason is a published refusal."""
    return isinstance(word, str) and _bare(word) in _SIDES


def side_of(word: str) -> str | None:
    """Return `prompt` or `completion`, when a refusal tells which of them was blocked."""
    return _SIDES[_bare(word)] or None


def is_generic(word: Json) -> bool:
    """Return whether a code says no more than an HTTP status: it is none, a number, or the status in words."""
    return not isinstance(word, str) or not word.strip() or word.strip().isdigit() or _bare(word) in _SAYS_NOTHING


def is_known_error(word: str) -> bool:
    """Return whether an error code is a published one, or a number."""
    return word.strip().isdigit() or _bare(word) in _KNOWN


def suspect_word(word: Json) -> bool:
    """Return whether a code that is not published looks like a refusal."""
    return isinstance(word, str) and not is_known_error(word) and _SUSPECT_WORD.search(word) is not None


def phrase_of_refusal(message: Json) -> bool:
    """Return whether a message says in the services' own words that they refuse."""
    lowered = message.lower() if isinstance(message, str) else ""
    return any(phrase in lowered for phrase in _PHRASES)


def suspect_in_message(message: Json) -> str | None:
    """Return the first word of a message, in lower case, that speaks of a policy; of ours, so it is no person's."""
    found = _SUSPECT_IN_MESSAGE.search(message) if isinstance(message, str) else None
    return found[1].lower().replace(" ", "_").replace("-", "_") if found else None
