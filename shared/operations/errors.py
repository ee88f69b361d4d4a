"""Bodies of unsuccessful calls, whoever wrote them -> error facts."""

from collections.abc import Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json, text
from shared.operations.content_filter import error_filter_results, filter_facts, judge
from shared.operations.reasons import reason_in

__all__ = ["CONTENT_FILTER", "FIRST_ERROR_STATUS", "error_facts"]

FIRST_ERROR_STATUS: Final = 400

CONTENT_FILTER: Final = "content_filter"
"""The code with which Azure OpenAI refuses a prompt."""

_MESSAGES: Final = ("message", "detail", "title")
_POLICY: Final = "ResponsibleAIPolicyViolation"


def error_facts(body: Json, *, status: int | None = None, reason: Json = None) -> Facts:
    """Return code and message of the error, and the filter's results where it was the filter's.

    An error that names no code has its HTTP status for one; an error without a message has the
    reason phrase. A body that is not JSON, such as a proxy's page, is the message as it is.

    Args:
        body: the parsed body, or its text when it is not JSON, or None.
        status: the HTTP status where it is known. Below 400, only an `error` object is an error.
        reason: the HTTP reason phrase.

    Source: event formats, section 10.
    """
    failed = status is not None and status >= FIRST_ERROR_STATUS
    error = body.get("error") if isinstance(body, dict) else None
    if not failed and not isinstance(error, dict):
        return {}
    code: Json = None
    message: Json = None
    if isinstance(error, dict):
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
        facts.update(_filter(error, facts.get("error_code")))
    return facts


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


def _filter(error: Mapping[str, Json], code: Json) -> Facts:
    sides: dict[str, list[Json]] = {"prompt": [error_filter_results(error)], "completion": []}
    blocked = judge(error.get("content_filters"), sides)
    facts = filter_facts(sides["prompt"], sides["completion"])
    inner = error.get("innererror") or error.get("inner_error")
    if not blocked and (code == CONTENT_FILTER or (isinstance(inner, dict) and inner.get("code") == _POLICY)):
        # The code says it, whatever the details are.
        blocked.add("prompt")
    return facts | {f"{side}_filtered": True for side in blocked}
