"""Problem documents (RFC 9457). Imports no framework: the health functions answer with them too."""

import re
from http import HTTPStatus
from typing import Any, Final

import orjson

__all__ = ["ANSWER_HEADERS", "PROBLEM_TYPE", "problem", "settings_named", "unconfigured"]

PROBLEM_TYPE: Final = "application/problem+json"
_SETTING: Final = re.compile(r"\b(?:PROMPTLEDGER|PYTHON)_[A-Z_]+\b")

ANSWER_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Answers hold personal data; no cache between here and the caller may keep them.
    "Cache-Control": "no-store",
}
"""Of every answer: against misuse in a browser."""


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


def settings_named(error: Exception) -> list[str]:
    """Return the settings that the message of a `ConfigurationError` names, none of their values."""
    return list(dict.fromkeys(_SETTING.findall(str(error))))


def unconfigured(error: Exception) -> bytes:
    """Return the problem document, 503, of a `ConfigurationError`: `settings` names those that are at fault."""
    names = settings_named(error)
    detail = f"{names[0] if names else 'a setting'} is missing or unfit; the app's log says why"
    return problem(503, "unconfigured", detail, settings=names)
