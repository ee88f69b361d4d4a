"""What of a body must not be kept: vectors, images, links that open doors, credentials of other services.

Both functions change the body in place and return whether they did.
"""

from collections.abc import Iterator
from typing import Final

from shared.domain.secrets import REMOVED, is_grant
from shared.domain.values import Json

__all__ = ["REMOVED", "withhold_from_request", "withhold_from_response"]

_REMOTE: Final = ("mcp", "mcp_server")
_IMAGE: Final = "b64_json"
_MADE: Final = "result"
_IMAGE_CALL: Final = "image_generation_call"

_IN_REQUESTS: Final = frozenset(
    {"data_sources", "dataSources", "tools", "mcp_servers", "mcpServers", "session", "input", "items"}
)
_IN_RESPONSES: Final = frozenset(
    {"data_sources", "dataSources", "tools", "session", "result", "data", "output", "client_secret"}
)
_IN_DATA: Final = frozenset({"embedding", _IMAGE, _MADE, "url"})
"""Members that may hold what must not be kept; what has none of them is left alone at a glance."""


def withhold_from_request(body: Json) -> bool:
    """Blank the keys to a client's own data sources ("on your data") and remote tools; drop images sent back."""
    if not isinstance(body, dict) or _IN_REQUESTS.isdisjoint(body):
        return False
    changed = _withhold_grants(body)
    for name in ("input", "items"):
        changed |= _withhold_images(body.get(name), _MADE)
    return changed


def withhold_from_response(body: Json) -> bool:
    """Drop embedding vectors, of any length, and images; blank signed links and the secret of a realtime session."""
    if not isinstance(body, dict) or _IN_RESPONSES.isdisjoint(body):
        return False
    changed = _withhold_grants(body)
    result = body.get("result")
    for answer in (body, result):
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(data, list):
            changed |= _withhold_data(
                [item for item in data if isinstance(item, dict) and not _IN_DATA.isdisjoint(item)]
            )
    changed |= _withhold_images(body.get("output"), _MADE)
    return changed | _withhold_session_secret(body)


def _withhold_data(items: list[dict[str, Json]]) -> bool:
    changed = False
    for item in items:
        if "embedding" in item:
            del item["embedding"]
            changed = True
    changed |= _withhold_images(items, _IMAGE)
    changed |= _withhold_images(items, _MADE)
    return changed | _withhold_links(items)


def _withhold_grants(body: dict[str, Json]) -> bool:
    changed = False
    for name in ("data_sources", "dataSources", "mcp_servers", "mcpServers", "tools"):
        if name in body:
            changed |= _blank_secrets(_grants(name, body[name]))
    session = body.get("session")
    if isinstance(session, dict) and "tools" in session:
        changed |= _blank_secrets(_grants("tools", session["tools"]))
    return changed


def _withhold_images(items: Json, member: str) -> bool:
    """Blank `member` of the items that hold an image in it; the result of other calls is text."""
    changed = False
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get(member), str):
            continue
        if member == _IMAGE or item.get("type") == _IMAGE_CALL:
            changed |= _blank(item, member)
    return changed


def _withhold_links(items: list[dict[str, Json]]) -> bool:
    """Take the signature out of the links to images, and images out of links that hold them."""
    changed = False
    for item in items:
        # What has an id is no image, and its link is its own affair.
        url = item.get("url") if "id" not in item else None
        if isinstance(url, str):
            kept = REMOVED if url.startswith("data:") else url.partition("?")[0]
            changed |= kept != url
            item["url"] = kept
    return changed


def _withhold_session_secret(body: dict[str, Json]) -> bool:
    changed = False
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
            if isinstance(tool, dict) and tool.get("type") in _REMOTE:
                yield tool
            elif isinstance(tool, dict):
                yield from (tool[name] for name in ("mcpServers", "mcp_servers") if name in tool)


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
                elif isinstance(item, str) and is_grant(name):
                    changed |= _blank(value, name)
                else:
                    rest.append(item)
    return changed


def _blank(holder: dict[str, Json], name: str) -> bool:
    if holder[name] == REMOVED:
        return False
    holder[name] = REMOVED
    return True
