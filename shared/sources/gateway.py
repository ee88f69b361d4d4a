"""What API Management says alike in every log of its own: refusals and headers."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import Json, flag, text, text_of
from shared.operations.api import Target
from shared.operations.errors import FIRST_ERROR_STATUS
from shared.operations.vendors import APIS
from shared.sources.record import response_correlation, service_correlation

__all__ = [
    "FEW",
    "HEADERS",
    "RATE_LIMITS",
    "allowed_headers",
    "correlation_ids_of_answer",
    "is_cached",
    "kept_headers",
    "note_unknown_headers",
    "refused",
    "spillover_facts",
    "state_target",
    "texts",
]

_OK: Final = 200

_SERVED: Final = "x-ms-deployment-name"
_SPILLOVER: Final = {
    "from": "x-ms-spillover-from-deployment",
    "error": "x-ms-spillover-error",
    "spilled": "x-ms-is-spilled-over",
}
"""Member of `spillover` -> header."""
HEADERS: Final = frozenset(
    {"apim-request-id", "openai-processing-ms", "retry-after", "x-ms-region", _SERVED, *_SPILLOVER.values()}
).union(*(api.headers for api in APIS))
"""Headers of an answer that are kept, and that the policy sends (infra/policies); any other may hold a secret."""
RATE_LIMITS: Final = "x-ratelimit-"
"""And all that begin so."""
_SPILL: Final = "spill"
_KNOWN_SPILL: Final = HEADERS | {"x-ms-spillover-deployment"}
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


def is_cached(status: int | None, *, is_backend_called: bool) -> bool | None:
    """Return whether a call was answered without a backend: from a cache, as a rule, which says so itself, too.

    Args:
        status: of the answer; None when it is unknown.
        is_backend_called: whether a backend was called.
    """
    if is_backend_called:
        return False
    return None if status is None else _OK <= status < _OK + 100


def state_target(facts: Facts, target: Target) -> None:
    """State the model and the stream that a path asks for, at vendors whose bodies say neither."""
    if target.model is not None:
        facts.setdefault("requested_model", target.model)
    if target.streamed is not None:
        facts["streamed"] = target.streamed


def kept_headers(headers: dict[str, Json]) -> dict[str, Json]:
    """Return the headers that our policy sends, as they came; any other may hold a secret.

    The same object when there is no other.
    """
    kept = {name: value for name, value in headers.items() if _is_allowed(name.lower())}
    return headers if len(kept) == len(headers) else kept


def _is_allowed(name: str) -> bool:
    return name in HEADERS or name.startswith(RATE_LIMITS)


def allowed_headers(headers: Json) -> dict[str, str] | None:
    """Return the headers that our policy may send; whatever else a changed policy adds may be a secret.

    A header that came several times may come as an array.
    """
    if not isinstance(headers, dict):
        return None
    allowed = {lowered: _joined(value) for name, value in headers.items() if _is_allowed(lowered := name.lower())}
    return texts(allowed)


def _joined(value: Json) -> Json:
    return ", ".join(filter(None, map(_value, value[:FEW]))) if isinstance(value, list) else value


def spillover_facts(headers: Mapping[str, str] | None) -> Facts:
    """Return which deployment served, and whether and why the service passed the call on from another.

    Every deployment names itself: `shared.merge` keeps the name where it is not the one asked for.

    Source: event formats, section 16.9.
    """
    facts: Facts = {}
    if not headers:
        return facts
    state(facts, "served_deployment", headers.get(_SERVED))
    members: dict[str, Json] = {name: headers[header] for name, header in _SPILLOVER.items() if header in headers}
    if "spilled" in members:
        members["spilled"] = flag(members["spilled"])
    # That nothing spilled over stands in every answer.
    if members.keys() - {"spilled"} or members.get("spilled"):
        state(facts, "spillover", {name: value for name, value in members.items() if value is not None})
    return facts


def note_unknown_headers(facts: Facts, names: Iterable[str]) -> None:
    """Leave a trace in `facts` of the headers, in lower case, that speak of spill-over and are unknown."""
    note(facts, "header", [name for name in names if _SPILL in name and name not in _KNOWN_SPILL])


def texts(members: Json) -> dict[str, str]:
    """Return the members of an object that are texts or numbers, as texts."""
    if not isinstance(members, dict):
        return {}
    few = list(members.items())[:FEW]
    return {name: value for name, item in few if len(name) <= FEW and (value := _value(item)) is not None}


def correlation_ids_of_answer(response_id: Json, headers: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the ids under which other sources know the call that was answered so."""
    ids = (response_correlation(response_id), service_correlation((headers or {}).get("apim-request-id")))
    return tuple(one for one in ids if one is not None)
