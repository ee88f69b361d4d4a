"""Bodies of unsuccessful calls, whoever wrote them, and error events of streams -> error facts."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.call_errors import (
    FILTER_FAILURES,
    INVALID_PROMPT,
    is_generic,
    is_refusal,
    phrase_of_refusal,
    side_of,
    suspect_in_message,
    suspect_word,
)
from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import Json, text
from shared.domain.verdicts import SIDES
from shared.operations.content_filter import error_filter_results, filter_facts, judge

__all__ = ["FIRST_ERROR_STATUS", "error_facts", "error_in_event", "failure_facts"]

FIRST_ERROR_STATUS: Final = 400

_MESSAGES: Final = ("message", "detail", "title")
_INNER: Final = ("innererror", "inner_error", "innerError", "error")
_DEEPEST: Final = 8
_MAY_REFUSE: Final = frozenset({*range(FIRST_ERROR_STATUS), 400, 403, 422, 451})
"""HTTP statuses of a refusal; what comes with another speaks of some other policy."""
_STAGES: Final = {"input": "prompt", "prompt": "prompt", "output": "completion", "completion": "completion"}

_MOST_REASONS: Final = 16
"""Reasons of one error that are kept, and members and items that are looked at on each level."""
_DEPTH: Final = 5
_REASON_LENGTH: Final = 1024
_SAYING: Final = ("msg", "message", "Message", "detail", "reason", "title", "description", "error_description")
"""Members that say it in a text, best first. What was sent (`input`, `ctx`) is no reason, and content."""
_HOLDING: Final = ("detail", "details", "message", "errors", "error")
"""Members that hold reasons, which may hold others."""
_PLACES: Final = ("loc", "path", "field", "param")


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
        code, message = _code(error), text(error.get("message")) or _reason_in(error)
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
    """Return the error of a body; what a job that failed gives for its reason is the error's code."""
    if not isinstance(body, dict):
        return None
    error, reason = body.get("error"), body.get("failure_reason")
    if body.get("status") != "failed" or text(reason) is None:
        return error
    return (error if isinstance(error, dict) else {"message": error}) | {"code": reason}


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
    """Return code and message of an error that does not stand in an `error` object."""
    if isinstance(body, str):
        return None, body
    if not isinstance(body, dict):
        return None, _reason_in(body)
    # API Management's own {statusCode, message}; {code, message}; RFC 9457.
    code = text(body.get("statusCode")) or text(body.get("code"))
    messages = (error, *(body.get(name) for name in _MESSAGES))
    return code, next((message for message in messages if isinstance(message, str)), None) or _reason_in(body)


def _filter(error: Mapping[str, Json]) -> Facts:
    sides: dict[str, list[Json]] = {"prompt": [error_filter_results(error)], "completion": []}
    blocked = judge(error.get("content_filters"), sides)
    return filter_facts(sides["prompt"], sides["completion"]) | {f"{side}_filtered": True for side in blocked}


def _refusal(facts: Facts, error: Mapping[str, Json], message: Json, *, status: int | None) -> Facts:
    """Return what tells a refusal from a failure: the side that was blocked, or that it may be one.

    Source: `shared.domain.call_errors`.
    """
    code = facts.get("error_code")
    words = [word for word in (code, *_inner_words(error), error.get("type")) if isinstance(word, str)]
    if code in FILTER_FAILURES:
        return {"filter_failed": True}
    refusing = next(filter(is_refusal, words), None)
    if refusing is not None:
        return _refusal_facts(facts, refusing, _stage(error) or side_of(refusing))
    if (is_generic(code) or code == INVALID_PROMPT) and phrase_of_refusal(message):
        return _refusal_facts(facts, "", "prompt")
    suspicion: Facts = {}
    suspects = list(filter(suspect_word, words))
    if suspects:
        note(suspicion, "error_code", suspects)
    elif is_generic(code) and (status is None or status in _MAY_REFUSE) and (word := suspect_in_message(message)):
        note(suspicion, "error_message", [word])
    elif code != INVALID_PROMPT:
        return {}
    return suspicion | {"possible_refusal": True}


def _refusal_facts(facts: Facts, word: str, side: str | None) -> Facts:
    if any(facts.get(f"{known}_filtered") for known in SIDES):
        return {}  # the details tell more exactly
    if side is not None:
        return {f"{side}_filtered": True}
    # Where nothing tells the side, the code must: that of the status says nothing.
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


def error_in_event(name: str | None, event: Mapping[str, Json]) -> Json:
    """Return the error object of a stream's event that reports one, in any of the forms; else None.

    Source: event formats, sections 9.4, 9.5 and 10.
    """
    error = event.get("error")
    if isinstance(error, dict):
        return error if event.get("type") in (None, "error") else None
    if name == "error" or event.get("type") == "error":
        # Beside the event's own type, which says no more than its name, there is the error's.
        return {
            key: value
            for key, value in event.items()
            if key not in {"sequence_number", "event_id"} and (key, value) != ("type", "error")
        }
    return {"message": error} if isinstance(error, str) and error else None


def _reason_in(error: Json) -> str | None:
    """Return a reason, or all of a list of reasons, as one text of bounded length; None when there is none.

    A reason is a text; an object that says it, with the place that it is about; or one object of lists
    by place.

    Source: event formats, sections 10 and 16.8.
    """
    reasons: list[str] = []
    for reason in _reasons(error, _DEPTH):
        if reason not in reasons:
            reasons.append(reason)
        if len(reasons) == _MOST_REASONS:
            break
    return text("; ".join(reasons), _REASON_LENGTH)


def _reasons(holder: Json, depth: int) -> Iterator[str]:
    if isinstance(holder, str):
        if (known := text(holder, _REASON_LENGTH)) is not None:
            yield known
    elif depth and isinstance(holder, list):
        for item in holder[:_MOST_REASONS]:
            yield from _reasons(item, depth - 1)
    elif depth and isinstance(holder, dict):
        yield from _reasons_in_object(holder, depth)


def _reasons_in_object(error: Mapping[str, Json], depth: int) -> Iterator[str]:
    found = False
    for name in _HOLDING:
        if isinstance(error.get(name), list | dict):
            for reason in _within(error[name], depth - 1):
                found = True
                yield reason
    if not found:
        known = next(
            (known for name in _SAYING if isinstance(error.get(name), str) and (known := text(error[name]))), None
        )
        if known is not None:
            place = next(filter(None, (_place(error.get(name)) for name in _PLACES)), None)
            yield known if place is None else f"{place}: {known}"


def _within(holder: Json, depth: int) -> Iterator[str]:
    """Yield the reasons that a member holds; of an object without any member that says one, those of each place."""
    if isinstance(holder, dict) and holder.keys().isdisjoint((*_SAYING, *_HOLDING)):
        for place, value in list(holder.items())[:_MOST_REASONS]:
            yield from (f"{text(place, 64)}: {reason}" for reason in _reasons(value, depth - 1))
    else:
        yield from _reasons(holder, depth)


def _place(place: Json) -> str | None:
    """Return where in the request it is: a text, or names and numbers from the outside in."""
    if not isinstance(place, list):
        return text(place, 64) if isinstance(place, str) else None
    return ".".join(filter(None, (text(part, 64) for part in place[:_MOST_REASONS]))) or None
