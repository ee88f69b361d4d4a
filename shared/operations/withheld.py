"""What of a body, or of a stream, must not be kept: vectors, images, sound, links that open doors, credentials.

What the gateway's other vendors send, their own modules know.
"""

import re
from collections.abc import Iterator
from typing import Final

import orjson

from shared.domain.secrets import REMOVED, is_grant
from shared.domain.values import Json
from shared.operations.streams.event_stream import text_of_logged
from shared.operations.streams.framing import FIRST_LINE, Patience

__all__ = ["withhold_from_request", "withhold_from_response", "withhold_from_stream"]

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

# Of streams.
_MARKS: Final = ('b64_json"', '"audio"', "audio.delta", "image_generation")
"""One of these stands in every stream that carries sound or pixels."""
_PAYLOADS: Final = frozenset({_IMAGE, "partial_image_b64"})
_SOUND: Final = frozenset({"response.audio.delta", "response.output_audio.delta"})
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-=]{80,}")
"""In a line that was cut, whose members nobody can tell apart."""
_SHORT: Final = 40
"""No line as short holds sound or pixels: what announces them is as long."""


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
                elif is_grant(name) and item is not None and not isinstance(item, bool):
                    changed |= _blank(value, name)
                else:
                    rest.append(item)
    return changed


def _blank(holder: dict[str, Json], name: str) -> bool:
    if holder[name] == REMOVED:
        return False
    holder[name] = REMOVED
    return True


def withhold_from_stream(text: str) -> str:
    """Return `text` with `REMOVED` in place of sound and pixels; the same object where there is none, or no stream.

    A binary stream that a log turned into text becomes one of server-sent events.

    Source: event formats, sections 9.2, 9.4 and 9.5.
    """
    plain = text_of_logged(text)
    if plain is not None:
        return plain
    if FIRST_LINE.match(text) is None or not any(mark in text for mark in _MARKS):
        return text
    lines = text.split("\n")
    changed = False
    patience = Patience(len(text))
    for number, line in enumerate(lines):
        if len(line) < _SHORT:
            continue
        kept = _withhold_from_line(line, patience)
        if kept is not line:
            lines[number] = kept
            changed = True
    return "\n".join(lines) if changed else text


def _withhold_from_line(line: str, patience: Patience) -> str:
    start = line.find("{")
    # Without JSON it may go on from the line before.
    event = patience.object_of(line[start:]) if start >= 0 else None
    if event is None:
        return _BASE64.sub(REMOVED, line) if len(line) >= 80 and _BASE64.search(line) else line
    if not _blank_payloads(event):
        return line
    return line[:start] + orjson.dumps(event).decode() + ("\r" if line.endswith("\r") else "")


def _blank_payloads(event: dict[str, Json]) -> bool:
    changed = False
    rest: list[Json] = [event]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if item != REMOVED and item and _is_payload(value, name):
                        value[name] = REMOVED
                        changed = True
                elif item:
                    if name == "audio" and isinstance(item, dict) and isinstance(item.get("data"), str):
                        changed |= item["data"] not in {"", REMOVED}
                        item["data"] = item["data"] and REMOVED
                    rest.append(item)
    return changed


def _is_payload(holder: dict[str, Json], name: str) -> bool:
    if name in _PAYLOADS:
        return True
    kind = holder.get("type")
    return (
        (name == "audio" and kind == "speech.audio.delta")
        or (name == "delta" and kind in _SOUND)
        or (name == _MADE and kind == _IMAGE_CALL)
    )
