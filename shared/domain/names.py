"""The names under which the witnesses of one call know it, when they do not know the gateway's id."""

import re
from typing import Final

from shared.domain.values import Json

__all__ = ["is_guid", "names_of", "response_name", "service_name"]

_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_GUID_LENGTH: Final = 36
_LENGTH: Final = 128


def is_guid(value: str) -> bool:
    """Return whether `value` is a GUID, whose letters mean the same in either case."""
    return len(value) == _GUID_LENGTH and _GUID.fullmatch(value) is not None


def service_name(request_id: Json) -> str | None:
    """Return the name of Azure OpenAI's own request id: header `apim-request-id`, `correlationId` of its logs."""
    return _name("apim-request-id", request_id)


def response_name(response_id: Json) -> str | None:
    """Return the name of an answer's `id`, such as `chatcmpl-...`."""
    return _name("response-id", response_id)


def names_of(value: Json) -> list[str]:
    """Return every name that `value`, an id that somebody asks for, may be a part of."""
    return [name for name in (service_name(value), response_name(value)) if name is not None]


def _name(kind: str, value: Json) -> str | None:
    if not isinstance(value, str) or not (value := value.strip()) or "\x00" in value:
        return None
    if len(value) * 2 > _LENGTH and len(value.encode("utf-16-le", "replace")) > 2 * _LENGTH:
        return None
    return f"{kind}:{value.lower() if is_guid(value) else value}"
