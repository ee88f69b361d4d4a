"""Problem documents (RFC 9457). Imports no framework: the health functions answer with them too."""

from http import HTTPStatus
from typing import Any, Final

import orjson

__all__ = ["PROBLEM_TYPE", "problem"]

PROBLEM_TYPE: Final = "application/problem+json"


def problem(status: int, kind: str, detail: str, **more: Any) -> bytes:  # noqa: ANN401  # any JSON value
    """Return a problem document.

    Args:
        status: the HTTP status that it goes with.
        kind: what went wrong, in words joined by hyphens; the same kind always has the same `type`.
        detail: one sentence for people, which quotes no secret and no content.
        more: members that say what is wrong, such as `parameter` or `role`.
    """
    title = HTTPStatus(status).phrase
    head = {"type": f"urn:promptledger:problem:{kind}", "title": title, "status": status, "detail": detail}
    return orjson.dumps(head | more)
