"""Bodies of the Responses API, of the conversations that it keeps, and of realtime sessions.

A response's bodies are its own, its input items, compaction and token counts. What is spoken in a realtime session
passes no policy: only the HTTP calls around it are here.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import Json
from shared.operations.api import Body, Family
from shared.operations.content_filter import filter_facts, judge, moderation_results
from shared.operations.readings import (
    BodyReading,
    join_lines,
    message_texts,
    read_plain_response,
    reading_of_request,
    reading_of_response,
    variable_texts,
)
from shared.operations.usage import add_usage, finish_facts, state_keyed_usage

__all__ = ["FAMILIES"]

_WITH_USAGE: Final = ("response", "response.compaction", None)
"""`object` of the answers whose usage is a response's own. A list repeats that of others."""
_CALL: Final = "_call"
_IMAGE_CALL: Final = "image_generation_call"
_TOOLS: Final = ("image_gen", "web_search")
"""Members of `tool_usage`. What it counts as searches holds every action: `web_searches` counts those that cost."""
_SEARCH_CALL: Final = "web_search_call"
_FILE_SEARCH_CALL: Final = "file_search_call"
_CODE_CALL: Final = "code_interpreter_call"
_SEARCH: Final = "search"


def _read_request(body: Body) -> BodyReading:
    """Read a request; the prompt is the variables of a stored one and the text of its input, without `instructions`.

    Source: event formats, section 8.6.
    """
    prompt = join_lines(chain(variable_texts(body.get("prompt")), _input_texts(body.get("input"))))
    reading = reading_of_request(body, prompt)
    reading.facts.setdefault("streamed", False)
    return reading


def _read_response(body: Body) -> BodyReading:
    """Read a response; the completion is all output text, a line for each message.

    What is asked for again later, or cancelled, repeats its usage: `usage_key` names the response.
    """
    output = body.get("output")
    items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    facts = _filter_facts(body)
    facts.update(finish_facts(body))
    if body.get("object") in _WITH_USAGE:
        state_keyed_usage(facts, body.get("usage"), key=body.get("id"))
        _add_tools_usage(facts, body, items)
        if isinstance(output, list):
            facts["web_searches"] = sum(map(_is_search, items))
            facts["file_searches"] = sum(item.get("type") == _FILE_SEARCH_CALL for item in items)
            facts["code_sessions"] = _code_sessions(items)
    if isinstance(output, list):
        facts["tool_calls"] = sum(_is_call(item) for item in items)
    completion = join_lines(_output_texts(items, "output_text", "text")) or join_lines(_output_texts(items, "refusal"))
    return reading_of_response(body, facts, completion)


def _input_texts(given: Json) -> Iterator[str]:
    """Yield the texts of `input`: one, or those in the content of its items."""
    if isinstance(given, str):
        yield given
    else:
        yield from message_texts(given)


def _output_texts(items: Sequence[Mapping[str, Json]], kind: str, member: str | None = None) -> Iterator[str]:
    """Yield, for each item, the text in its parts of type `kind`: one text, cut where annotations stand."""
    for item in items:
        content = item.get("content")
        parts = content if isinstance(content, list) else ()
        texts = [
            text
            for part in parts
            if isinstance(part, dict) and part.get("type") == kind and isinstance(text := part.get(member or kind), str)
        ]
        if any(texts):
            yield "".join(texts)


def _add_tools_usage(facts: Facts, body: Mapping[str, Json], items: Sequence[Mapping[str, Json]]) -> None:
    """Add what tools used beside the response's own model, and count the images of one that states its usage.

    The usage of a response is its own model's alone. What the image tool's model used is added to input,
    output and total alike, so that image tokens stay a part of them; it stands once for the response
    (`tool_usage`), else by each call, and never counted in both places.
    """
    if "total_tokens" not in facts:
        return
    usages = body.get("tool_usage")
    tools: Mapping[str, Json] = usages if isinstance(usages, dict) else {}
    note(facts, "usage", [f"tool_usage.{name}" for name, value in tools.items() if value and name not in _TOOLS])
    adds = add_usage(facts, tools.get("image_gen"))
    for item in items:
        kind, usage = item.get("type"), item.get("usage")
        if kind != _IMAGE_CALL:
            note(facts, "usage", [f"{kind}.usage"] if usage else [])
        elif not tools.get("image_gen"):
            adds |= add_usage(facts, usage)
    if adds:
        facts["images"] = sum(item.get("type") == _IMAGE_CALL and bool(item.get("result")) for item in items)


def _is_search(item: Mapping[str, Json]) -> bool:
    """Return whether an item is a search on the web: to open a page, or to look for words on it, is none.

    An older form names no action.

    Source: https://platform.openai.com/docs/guides/tools-web-search, "Output and citations".
    """
    action = item.get("action")
    kind = action.get("type") if isinstance(action, dict) else None
    return item.get("type") == _SEARCH_CALL and kind in {None, _SEARCH}


def _code_sessions(items: Sequence[Mapping[str, Json]]) -> int:
    """Return in how many containers code ran: calls that name the same one, or none, share it."""
    return len({str(item.get("container_id")) for item in items if item.get("type") == _CODE_CALL})


def _is_call(item: Mapping[str, Json]) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and kind.endswith(_CALL)


def _filter_facts(body: Mapping[str, Json]) -> Facts:
    """Return the filter's word, on Azure, and the moderation's, where the request asked for one."""
    sides: dict[str, list[Json]] = {"prompt": [], "completion": []}
    blocked = judge(body.get("content_filters"), sides)
    moderation = body.get("moderation")
    if isinstance(moderation, dict):
        sides["prompt"] += moderation_results(moderation.get("input"))
        sides["completion"] += moderation_results(moderation.get("output"))
    facts = filter_facts(sides["prompt"], sides["completion"])
    details = body.get("incomplete_details")
    if isinstance(details, dict) and details.get("reason") == "content_filter":
        blocked.add("completion")
    for side in blocked:
        state(facts, f"{side}_filtered", value=True)
    return facts


def _read_conversation_request(body: Body) -> BodyReading:
    """Read what a conversation is created with, or given; the prompt is the text of the items.

    Its answers are read plainly: what the model says in them, its response held already.
    """
    return reading_of_request(body, join_lines(message_texts(body.get("items"))))


def _read_session_request(body: Body) -> BodyReading:
    """Read what a session, a client secret or a call is asked for with; texts are the variables of a stored prompt.

    Source: event formats, section 8.10.
    """
    session = body.get("session")
    holders = [body, session] if isinstance(session, dict) else [body]
    prompt = join_lines(text for holder in holders for text in variable_texts(holder.get("prompt")))
    reading = reading_of_request(body, prompt)
    reading.facts.update({**_session_facts(body, requested_model="model"), **reading.facts})
    return reading


def _read_session_response(body: Body) -> BodyReading:
    """Read a session, or the secret that opens one; a call is answered with SDP, not JSON."""
    reading = read_plain_response(body)
    reading.facts.update({**_session_facts(body, model="model", response_id="id"), **reading.facts})
    return reading


def _session_facts(body: Body, **fields: str) -> Facts:
    """Return what the session inside the body says."""
    session, facts = body.get("session"), Facts()
    if isinstance(session, dict):
        for field, member in fields.items():
            state(facts, field, session.get(member))
    return facts


FAMILIES: Final = {
    "responses": Family(_read_request, _read_response),
    "conversations": Family(_read_conversation_request, read_plain_response),
    "realtime": Family(_read_session_request, _read_session_response),
}
