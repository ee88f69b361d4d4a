"""What API Management tells alike in every log of its own: refusals and headers."""

from collections.abc import Mapping
from typing import Final

from shared.domain.names import response_name, service_name
from shared.domain.values import Json, text, text_of
from shared.operations.errors import FIRST_ERROR_STATUS

__all__ = ["FEW", "allowed_headers", "claims_of", "is_allowed_header", "is_cached", "refused", "texts"]

_HEADERS: Final = frozenset(
    {"apim-request-id", "x-ms-region", "x-ms-is-spilled-over", "retry-after", "openai-processing-ms"}
)
_OK: Final = 200
_RATE_LIMITS: Final = "x-ratelimit-"
FEW: Final = 64
"""Most members of an object, or items of a list, that become facts."""
_value: Final = text_of(512)


def refused(status: int, last: Mapping[str, Json]) -> bool:
    """Return whether API Management itself said no: a 4xx that it did not meet on the way to a backend.

    A connection that broke, the client's or the backend's, and a backend's answer that was made an
    error by `forward-request` are failures. So is every 5xx: a policy that crashed refuses no one.
    """
    if not FIRST_ERROR_STATUS <= status < 500:
        return False
    source, reason = text(last.get("source")) or "", text(last.get("reason")) or ""
    return source.lower() != "forward-request" and not reason.startswith(("BackendConnection", "ClientConnection"))


def is_cached(status: int | None, *, asked: bool) -> bool | None:
    """Return whether a call was answered without a backend: from a cache, as a rule, which says so itself, too.

    Args:
        status: of the answer; None when nobody tells it.
        asked: whether a backend was asked.
    """
    if asked:
        return False
    return None if status is None else _OK <= status < _OK + 100


def is_allowed_header(name: str) -> bool:
    """Return whether a header, in lower case, is one that our policy sends; any other may hold a secret."""
    return name in _HEADERS or name.startswith(_RATE_LIMITS)


def allowed_headers(told: Json) -> dict[str, str] | None:
    """Return the headers that our policy may send; whatever else a changed policy adds may be a secret."""
    if not isinstance(told, dict):
        return None
    allowed = {lowered: value for name, value in told.items() if is_allowed_header(lowered := name.lower())}
    return texts(allowed)


def texts(told: Json) -> dict[str, str]:
    """Return the members of an object that are texts or numbers, as texts."""
    if not isinstance(told, dict):
        return {}
    few = list(told.items())[:FEW]
    return {name: value for name, item in few if len(name) <= FEW and (value := _value(item)) is not None}


def claims_of(response_id: Json, headers: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the names under which others know the call that was answered so."""
    names = (response_name(response_id), service_name((headers or {}).get("apim-request-id")))
    return tuple(name for name in names if name is not None)
