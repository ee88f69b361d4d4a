"""Streams of the Responses API -> the response object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.values import Json
from shared.operations.errors import error_in_event
from shared.operations.readings import RequestContext
from shared.operations.streams.answer import Models, StreamAnswer
from shared.operations.streams.framing import Frames, events_of, object_of
from shared.operations.usage import better_usage

__all__ = ["assemble", "assemble_finished"]

_MEMBERS: Final = {
    "response.function_call_arguments": "arguments",
    "response.mcp_call_arguments": "arguments",
    "response.mcp_call.arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.code_interpreter_call_code": "code",
    "response.code_interpreter_call.code": "code",
}
"""Event -> the member of the item that grows."""
_PARTS: Final = {
    "response.output_text": ("content", "output_text", "text"),
    "response.refusal": ("content", "refusal", "refusal"),
    "response.reasoning_text": ("content", "reasoning_text", "text"),
    "response.reasoning_summary_text": ("summary", "summary_text", "text"),
}
"""Event -> list of the item, type of its part, member of the part that grows."""
_PART_EVENTS: Final = {"response.content_part": "content", "response.reasoning_summary_part": "summary"}
_NUMBERS: Final = {"content": "content_index", "summary": "summary_index"}
_LAST: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done")


def assemble_finished(text: str, context: RequestContext) -> StreamAnswer | None:
    """Return the response that the last line of `text` carries; None when it carries none.

    Nothing else of a complete stream needs to be looked at, but for the model where the last line names
    the one asked for: the first may name the one that serves.
    """
    found = _answer_in(object_of(text[text.rfind("\ndata:") + 6 :]) or {})
    if found is None or found.body is None or found.body.get("model") not in context.models:
        return found
    first, _, _ = text.partition("\n\n")
    return _name_model(found, [object_of(first[first.find("data:") + 5 :]) or {}], context)


def assemble(frames: Frames, context: RequestContext) -> StreamAnswer:
    """Return the response that the last event carries, else what the events before it add up to.

    Source: event formats, section 9.4.
    """
    last = next(filter(None, map(frames.patience.object_of, reversed(frames.data))), {})
    return _answer_in(last) or _rebuild(frames, context)


def _answer_in(last: Mapping[str, Json]) -> StreamAnswer | None:
    response = last.get("response")
    if last.get("type") in _LAST and isinstance(response, dict) and response.get("output"):
        return StreamAnswer(response, ended=True, operation="responses")
    return None


def _rebuild(frames: Frames, context: RequestContext) -> StreamAnswer:
    body: dict[str, Json] = {"object": "response"}
    items = _Items()
    carrying: list[Mapping[str, Json]] = []
    ended = False
    for name, event in events_of(frames):
        response = event.get("response")
        if isinstance(response, dict):
            usage = better_usage(body.get("usage"), response.get("usage"))
            body.update({key: value for key, value in response.items() if key != "output" or value})
            if usage:
                body["usage"] = usage
            carrying.append(event)
            ended = ended or event.get("type") in _LAST
        elif error := error_in_event(name, event):
            body["error"] = error
            ended = True
        else:
            items.add(event)
    output = items.bodies()
    if output and not (ended and body.get("output")):
        body["output"] = output
    return _name_model(StreamAnswer(body, ended, "responses"), carrying, context)


def _name_model(found: StreamAnswer, events: Iterable[Mapping[str, Json]], context: RequestContext) -> StreamAnswer:
    """Return what was found with the model that served, of all that the events and it name."""
    body = found.body or {}
    models = Models()
    for response in (*(event.get("response") for event in events), body):
        name = response.get("model") if isinstance(response, dict) else None
        if isinstance(name, str) and name:
            models.add(name, speaks=False)
    served, router = models.model_and_router(context.models)
    return found if router is None else found._replace(body={**body, "model": served}, router=router)


@dataclass(slots=True)
class _Part:
    given: dict[str, Json] = field(default_factory=dict)
    member: str = ""
    deltas: list[str] = field(default_factory=list)

    def body(self) -> dict[str, Json]:
        return {**self.given, self.member: "".join(self.deltas)} if self.deltas else self.given


@dataclass(slots=True)
class _Item:
    given: dict[str, Json] = field(default_factory=dict)
    finished: bool = False
    texts: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[tuple[str, int], _Part] = field(default_factory=dict)

    def body(self) -> dict[str, Json]:
        if self.finished:
            return self.given
        grown = {**self.given, **{member: "".join(deltas) for member, deltas in self.texts.items()}}
        for holder in _NUMBERS:
            parts = [self.parts[place].body() for place in sorted(self.parts) if place[0] == holder]
            if parts:
                grown[holder] = parts
        return grown


class _Items:
    """Output items that grow by events."""

    def __init__(self) -> None:
        """Begin with none."""
        self._items: dict[int, _Item] = {}
        self._indexes: dict[str, int] = {}
        self._latest = 0
        self._end = 0

    def add(self, event: Mapping[str, Json]) -> None:
        """Add what `event` says; events that say nothing of an item's content are passed over."""
        kind = event.get("type")
        stem, _, ending = kind.rpartition(".") if isinstance(kind, str) else ("", "", "")
        item, part = event.get("item"), event.get("part")
        if stem == "response.output_item" and isinstance(item, dict):
            self._add_item(self._place_of(item, event.get("output_index")), item, finished=ending == "done")
        elif stem in _PART_EVENTS and isinstance(part, dict):
            _part_at(self._item_of(event), event, _PART_EVENTS[stem]).given = part
        elif stem in _PARTS:
            holder, part_type, member = _PARTS[stem]
            target = _part_at(self._item_of(event), event, holder)
            target.given = target.given or {"type": part_type}
            target.member = member
            _grow(target.deltas, event, member, ending)
        elif stem in _MEMBERS:
            member = _MEMBERS[stem]
            index = self._index(event)
            # Arguments without a call go to the call before them.
            caller = self._items.get(index if index in self._items else self._latest) or self._item_of(event)
            _grow(caller.texts.setdefault(member, []), event, member, ending)

    def bodies(self) -> list[Json]:
        """Return the items in their order."""
        return [self._items[index].body() for index in sorted(self._items)]

    def _add_item(self, index: int, given: dict[str, Json], *, finished: bool) -> None:
        self._latest, self._end = index, max(self._end, index + 1)
        item = self._items.setdefault(index, _Item())
        item.given, item.finished = given, finished
        if isinstance(name := given.get("id"), str):
            self._indexes[name] = index

    def _item_of(self, event: Mapping[str, Json]) -> _Item:
        return self._items.setdefault(self._index(event), _Item({"type": "message", "role": "assistant"}))

    def _place_of(self, item: Mapping[str, Json], index: Json) -> int:
        """Return where an item stands: at its index, unless that is another's, or it stands elsewhere already."""
        name = item.get("id")
        known = self._indexes.get(name) if isinstance(name, str) else None
        if known is not None:
            return known
        held = self._items.get(index) if type(index) is int else None
        if type(index) is int and (held is None or name is None or held.given.get("id") in (None, name)):
            return index
        return self._end

    def _index(self, event: Mapping[str, Json]) -> int:
        """Return the place of the item that an event speaks of: its id knows it better than its index."""
        index, name = event.get("output_index"), event.get("item_id")
        known = self._indexes.get(name) if isinstance(name, str) else None
        if known is not None and not self._items[known].finished:
            return known
        return index if type(index) is int else self._latest


def _part_at(item: _Item, event: Mapping[str, Json], holder: str) -> _Part:
    number = event.get(_NUMBERS[holder])
    return item.parts.setdefault((holder, number if type(number) is int else 0), _Part())


def _grow(deltas: list[str], event: Mapping[str, Json], member: str, ending: str) -> None:
    text = event.get("delta" if ending == "delta" else member)
    if isinstance(text, str):
        if ending != "delta":
            deltas.clear()
        deltas.append(text)
