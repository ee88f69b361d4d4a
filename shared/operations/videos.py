"""Bodies of video jobs: what was asked for, and what a job that succeeded made.

Source: event formats, section 16.10.
"""

from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical, count, number
from shared.operations.api import Body
from shared.operations.generic import answered, asked
from shared.operations.said import Said

__all__ = ["read_request", "read_response"]

_SUCCEEDED: Final = frozenset({"succeeded", "completed"})
_ENDED: Final = _SUCCEEDED | {"failed", "cancelled"}
_JOBS: Final = frozenset({"video", "video.generation.job"})


def read_request(body: Body) -> Said:
    """Read a request: its prompt, seconds and size."""
    prompt = body.get("prompt")
    return asked(body, prompt if isinstance(prompt, str) else None)


def read_response(body: Body) -> Said:
    """Read the state of a job. Every poll repeats its seconds: they count once by its id, when it has succeeded."""
    facts: Facts = {}
    kind = body.get("object")
    if not isinstance(kind, str) or kind not in _JOBS:
        return answered(body, facts, None)
    status = body.get("status")
    state(facts, "usage_key", body.get("id"))
    if isinstance(status, str) and status in _ENDED:
        facts["finish_reasons"] = canonical([status])
        if status in _SUCCEEDED:
            state(facts, "seconds", _seconds(body))
    reason = body.get("failure_reason")
    if status == "failed" and isinstance(reason, str) and reason:
        state(facts, "error_code", reason)
    return answered(body, facts, None)


def _seconds(body: Body) -> Json:
    seconds = number(body.get("seconds"))
    if seconds is None:
        seconds = number(body.get("n_seconds"))
        if seconds is not None:
            seconds *= count(body.get("n_variants")) or 1
    return seconds
