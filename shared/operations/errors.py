"""Bodies of unsuccessful calls, whoever wrote them -> error facts."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.refusals import (
    FILTER_FAILURES,
    INVALID_PROMPT,
    is_generic,
    is_refusal,
    phrase_of_refusal,
    side_of,
    suspect_in_message,
    suspect_word,
)
from shared.domain.unknown_words import note
from shared.domain.values import Json, text
from shared.domain.verdicts import SIDES
from shared.operations.content_filter import error_filter_results, filter_facts, judge
from shared.operations.reasons import reason_in

__all__ = ["FIRST_ERROR_STATUS", "error_facts", "failure_facts"]

FIRST_ERROR_STATUS: Final = 400

_MESSAGES: Final = ("message", "detail", "title")
_INNER: Final = ("innererror", "inner_error", "innerError", "error")
_DEEPEST: Final = 8
_MAY_REFUSE: Final = frozenset({*range(FIRST_ERROR_STATUS), 400, 403, 422, 451})
"""HTTP statuses of a refusal; what comes with another speaks of some other policy."""
_STAGES: Final = {"input": "prompt", "prompt": "prompt", "output": "completion", "completion": "completion"}


def error_facts(
    body: Json, *, status: int | None = None, reason: Json = None, theirs: tuple[Json, Json] | None = None
) -> Facts:
    """Return code and message of the error, and the filter's results where it was the filter's.

    An error that names no code has its HTTP status for one; an error without a message has the
    reason phrase. A body that is not JSON, such as a proxy's page, is the message as it is.

    Args:
        body: the parsed body, or its text when it is not JSON, or None.
        status: the HTTP status where it is known. Below 400, only an `error` object is an error.
        reason: the HTTP reason phrase.
        theirs: code and message, where another vendor's form tells them.

    Source: event formats, section 10.
    """
    failed = status is not None and status >= FIRST_ERROR_STATUS
    error = _error_in(body)
    if not failed and not isinstance(error, dict):
        return {}
    code: Json = None
    message: Json = None
    if theirs is not None:
        code, message = theirs
    elif isinstance(error, dict):
        code, message = _code(error), text(error.get("message")) or reason_in(error)
    else:
        code, message = _loose(body, error)
    facts: Facts = {}
    if failed:
        code = text(code) or str(status)
        message = message if text(message) is not None else reason
    state(facts, "error_code", code)
    state(facts, "error_message", message)
    if isinstance(error, dict):
        facts |= _filter(error)
    return facts | _refusal(facts, error if isinstance(error, dict) else {}, message, status=status)


def _error_in(body: Json) -> Json:
    """Return the error of a body: its object, or what a job that failed gives for its reason."""
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if error is None and body.get("status") == "failed" and text(body.get("failure_reason")) is not None:
        return {"code": body["failure_reason"]}
    return error


def failure_facts(error: Json) -> Facts:
    """Return code and message of the error that ended a run or step, and whether it is a refusal."""
    if not isinstance(error, dict):
        return {}
    facts: Facts = {}
    state(facts, "error_code", _code(error))
    state(facts, "error_message", error.get("message"))
    return facts | _refusal(facts, error, error.get("message"), status=None)


def _code(error: Mapping[str, Json]) -> Json:
    # OpenAI's own validation often leaves the code null and names a type.
    return text(error.get("code")) or error.get("type")


def _loose(body: Json, error: Json) -> tuple[Json, Json]:
    """Return code and message of an error that is not told in an `error` object."""
    if isinstance(body, str):
        return None, body
    if not isinstance(body, dict):
        return None, reason_in(body)
    # API Management's own {statusCode, message}; {code, message}; RFC 9457.
    code = text(body.get("statusCode")) or text(body.get("code"))
    told = (error, *(body.get(name) for name in _MESSAGES))
    return code, next((told for told in told if isinstance(told, str)), None) or reason_in(body)


def _filter(error: Mapping[str, Json]) -> Facts:
    sides: dict[str, list[Json]] = {"prompt": [error_filter_results(error)], "completion": []}
    blocked = judge(error.get("content_filters"), sides)
    return filter_facts(sides["prompt"], sides["completion"]) | {f"{side}_filtered": True for side in blocked}


def _refusal(facts: Facts, error: Mapping[str, Json], message: Json, *, status: int | None) -> Facts:
    """Return what tells a refusal from a failure: the side that was blocked, or that it may be one.

    Source: `shared.domain.refusals`.
    """
    code = facts.get("error_code")
    words = [word for word in (code, *_inner_words(error), error.get("type")) if isinstance(word, str)]
    if code in FILTER_FAILURES:
        return {"filter_failed": True}
    refusing = next(filter(is_refusal, words), None)
    if refusing is not None:
        return _refused(facts, refusing, _stage(error) or side_of(refusing))
    if (is_generic(code) or code == INVALID_PROMPT) and phrase_of_refusal(message):
        return _refused(facts, "", "prompt")
    told: Facts = {}
    suspects = list(filter(suspect_word, words))
    if suspects:
        note(told, "error_code", suspects)
    elif is_generic(code) and (status is None or status in _MAY_REFUSE) and (word := suspect_in_message(message)):
        note(told, "error_message", [word])
    elif code != INVALID_PROMPT:
        return {}
    return told | {"possible_refusal": True}


def _refused(facts: Facts, word: str, side: str | None) -> Facts:
    if any(facts.get(f"{known}_filtered") for known in SIDES):
        return {}  # the details tell more exactly
    if side is not None:
        return {f"{side}_filtered": True}
    # What tells no side must be told by the code: that of the status says nothing.
    return {} if is_refusal(facts.get("error_code")) else {"error_code": word}


def _stage(error: Mapping[str, Json]) -> str | None:
    """Return the side that a moderation blocked, as the error's details tell."""
    details = error.get("moderation_details")
    for holder in (details if isinstance(details, dict) else {}, error):
        for member in ("moderation_stage", "stage"):
            side = _STAGES.get(str(holder.get(member)).lower())
            if side is not None:
                return side
    return None


def _inner_words(error: Mapping[str, Json]) -> Iterator[Json]:
    """Yield the codes inside an error: of inner errors, however deep, and of its details."""
    inner: Json = error
    for _ in range(_DEEPEST):
        inner = next((found for name in _INNER if isinstance(found := inner.get(name), dict)), None)
        if inner is None:
            break
        yield inner.get("code")
    for name in ("details", "errors"):
        details = error.get(name)
        for detail in details[:_DEEPEST] if isinstance(details, list) else ():
            if isinstance(detail, dict):
                yield detail.get("code")
