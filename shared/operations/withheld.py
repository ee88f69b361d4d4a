"""What of a body must not be kept: embedding vectors, and credentials of other services.

Both functions change the body in place and return whether they did.
"""

from collections.abc import Iterator
from typing import Final

from shared.domain.values import Json

__all__ = ["REMOVED", "withhold_from_request", "withhold_from_response"]

REMOVED: Final = "[removed]"

_SECRETS: Final = frozenset(
    {
        "access_token",
        "api_key",
        "authorization",
        "client_secret",
        "connection_string",
        "embedding_key",
        "embeddingkey",
        "encoded_api_key",
        "key",
        "key_or_token",
        "password",
        "token",
    }
)


def withhold_from_request(body: Json) -> bool:
    """Blank the keys to a client's own data sources ("on your data") and remote tools."""
    changed = False
    if isinstance(body, dict):
        for name in ("data_sources", "dataSources", "tools"):
            if name in body:
                changed |= _blank_secrets(_grants(name, body[name]))
    return changed


def withhold_from_response(body: Json) -> bool:
    """Drop embedding vectors, of any length; blank the secret of a realtime session."""
    if not isinstance(body, dict):
        return False
    changed = False
    data = body.get("data")
    if isinstance(data, list):
        for item in data:
            if isinstance(item, dict) and "embedding" in item:
                del item["embedding"]
                changed = True
    secrets = [body.get("client_secret")]
    if "session" in body and "expires_at" in body:
        secrets.append(body)
    for secret in secrets:
        if isinstance(secret, dict) and isinstance(secret.get("value"), str):
            changed |= _blank(secret, "value")
    return changed


def _grants(name: str, value: Json) -> Iterator[Json]:
    """Yield the objects that may hold a credential; a function's schema may name one innocently."""
    if name != "tools":
        yield value
    elif isinstance(value, list):
        for tool in value:
            if isinstance(tool, dict) and tool.get("type") == "mcp":
                yield tool


def _blank_secrets(grants: Iterator[Json]) -> bool:
    changed = False
    rest = list(grants)
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                if name == "headers" and isinstance(item, dict):
                    for header in item:
                        changed |= _blank(item, header)
                elif isinstance(item, str) and name.lower() in _SECRETS:
                    changed |= _blank(value, name)
                else:
                    rest.append(item)
    return changed


def _blank(holder: dict[str, Json], name: str) -> bool:
    if holder[name] == REMOVED:
        return False
    holder[name] = REMOVED
    return True
