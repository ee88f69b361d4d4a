"""Item events of a Responses stream that was cut -> the output items so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.values import Json

__all__ = ["Items"]

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


@dataclass(slots=True)
class _Part:
    told: dict[str, Json] = field(default_factory=dict)
    member: str = ""
    pieces: list[str] = field(default_factory=list)

    def whole(self) -> dict[str, Json]:
        return {**self.told, self.member: "".join(self.pieces)} if self.pieces else self.told


@dataclass(slots=True)
class _Item:
    told: dict[str, Json] = field(default_factory=dict)
    finished: bool = False
    texts: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[tuple[str, int], _Part] = field(default_factory=dict)

    def whole(self) -> dict[str, Json]:
        if self.finished:
            return self.told
        grown = {**self.told, **{member: "".join(pieces) for member, pieces in self.texts.items()}}
        for holder in _NUMBERS:
            parts = [self.parts[place].whole() for place in sorted(self.parts) if place[0] == holder]
            if parts:
                grown[holder] = parts
        return grown


class Items:
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
        told, part = event.get("item"), event.get("part")
        if stem == "response.output_item" and isinstance(told, dict):
            self._add_item(self._place_of(told, event.get("output_index")), told, finished=ending == "done")
        elif stem in _PART_EVENTS and isinstance(part, dict):
            _part_at(self._item_of(event), event, _PART_EVENTS[stem]).told = part
        elif stem in _PARTS:
            holder, part_type, member = _PARTS[stem]
            target = _part_at(self._item_of(event), event, holder)
            target.told = target.told or {"type": part_type}
            target.member = member
            _grow(target.pieces, event, member, ending)
        elif stem in _MEMBERS:
            member = _MEMBERS[stem]
            index = self._index(event)
            # Arguments without a call go to the call before them.
            item = self._items.get(index if index in self._items else self._latest) or self._item_of(event)
            _grow(item.texts.setdefault(member, []), event, member, ending)

    def whole(self) -> list[Json]:
        """Return the items in their order."""
        return [self._items[index].whole() for index in sorted(self._items)]

    def _add_item(self, index: int, told: dict[str, Json], *, finished: bool) -> None:
        self._latest, self._end = index, max(self._end, index + 1)
        item = self._items.setdefault(index, _Item())
        item.told, item.finished = told, finished
        if isinstance(name := told.get("id"), str):
            self._indexes[name] = index

    def _item_of(self, event: Mapping[str, Json]) -> _Item:
        return self._items.setdefault(self._index(event), _Item({"type": "message", "role": "assistant"}))

    def _place_of(self, told: Mapping[str, Json], index: Json) -> int:
        """Return where an item stands: at its index, unless that is another's, or it stands elsewhere already."""
        name = told.get("id")
        known = self._indexes.get(name) if isinstance(name, str) else None
        if known is not None:
            return known
        held = self._items.get(index) if type(index) is int else None
        if type(index) is int and (held is None or name is None or held.told.get("id") in (None, name)):
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


def _grow(pieces: list[str], event: Mapping[str, Json], member: str, ending: str) -> None:
    text = event.get("delta" if ending == "delta" else member)
    if isinstance(text, str):
        if ending != "delta":
            pieces.clear()
        pieces.append(text)
