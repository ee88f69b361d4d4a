"""The deltas of one chat choice -> its message."""

from collections.abc import Mapping
from typing import Final

from shared.domain.secrets import REMOVED
from shared.domain.values import Json, count

__all__ = ["Message"]

_JOINED: Final = frozenset({"content", "refusal", "reasoning_content", "reasoning"})
_GROWING: Final = frozenset({"arguments", "input", "transcript"})
"""Members of tool calls and audio that come in deltas; the others come complete, and once."""
_ARGUMENTS: Final = (("function", "arguments"), ("custom", "input"))
"""Kind of a call -> the member that grows."""
_SPOKEN: Final = "data"


class Message:
    """A message that grows by deltas."""

    __slots__ = (
        "_audio", "_calls", "_function", "_keyed", "_latest", "_members", "_named", "_role", "_texts", "_tool",
        "content",
    )  # fmt: skip

    def __init__(self) -> None:
        """Begin empty."""
        self.content: list[str] = []
        """The deltas of its text."""
        self._texts: dict[str, list[str]] = {"content": self.content}
        self._members: dict[str, Json] = {}
        self._calls: list[dict[str, Json]] = []
        self._keyed: dict[int, dict[str, Json]] = {}
        self._named: dict[str, dict[str, Json]] = {}
        self._latest: dict[str, Json] | None = None
        self._function: dict[str, Json] = {}
        self._audio: dict[str, Json] = {}
        self._tool: list[str] = []
        self._role: Json = None

    def add(self, delta: Mapping[str, Json]) -> None:
        """Add what `delta` says."""
        for name, value in delta.items():
            if value is None:
                continue
            if name in _JOINED:
                self._texts.setdefault(name, []).extend(_texts_in(value))
            elif name == "tool_calls":
                self._add_calls(value)
            elif name in {"function_call", "audio"}:
                _grow(self._function if name == "function_call" else self._audio, value)
            else:
                self._keep(name, value)

    def add_older(self, messages: Json) -> None:
        """Add `messages` of the first "on your data" versions: a tool's word, then the answer's deltas."""
        for message in messages if isinstance(messages, list) else ():
            delta = message.get("delta") if isinstance(message, dict) else None
            if not isinstance(delta, dict):
                continue
            self._role = delta.get("role") or self._role
            if self._role == "tool":
                self._tool.extend(_texts_in(delta.get("content")))
            else:
                self.add(delta)

    def body(self) -> dict[str, Json]:
        """Return the message as an answer in one body has it."""
        message: dict[str, Json] = {"role": "assistant", "content": None, **self._members}
        for name, deltas in self._texts.items():
            if deltas:
                message[name] = "".join(deltas)
        if self._calls:
            message["tool_calls"] = [_body_of(call) for call in self._calls]
        if self._function:
            message["function_call"] = _body_of(self._function)
        if self._audio:
            message["audio"] = _body_of(self._audio)
        if self._tool:
            message.setdefault("context", {"messages": [{"role": "tool", "content": "".join(self._tool)}]})
        return message

    def _add_calls(self, deltas: Json) -> None:
        for delta in deltas if isinstance(deltas, list) else ():
            if isinstance(delta, dict):
                _grow(self._call_of(delta), {key: value for key, value in delta.items() if key != "index"})

    def _call_of(self, delta: Mapping[str, Json]) -> dict[str, Json]:
        """Return the call that a delta belongs to: that of its id or index, else the one before it, or a new one."""
        index, call_id = count(delta.get("index")), delta.get("id")
        name = call_id if isinstance(call_id, str) and call_id else None
        call = self._named.get(name or "")
        if call is None:
            numbered = None if index is None else self._keyed.get(index)
            call = self._latest if numbered is None else numbered
            if call is None or _begins_call(delta, call, numbered_anew=index is not None and numbered is None):
                call = {}
                self._calls.append(call)
                if index is not None:
                    self._keyed[index] = call
        if name is not None:
            self._named[name] = call
        self._latest = call
        return call

    def _keep(self, name: str, value: Json) -> None:
        known = self._members.get(name)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif isinstance(known, dict) and isinstance(value, dict):
            known.update(value)
        elif not known:
            self._members[name] = value


def _begins_call(delta: Mapping[str, Json], call: Mapping[str, Json], *, numbered_anew: bool) -> bool:
    """Return whether a delta begins a call, rather than go on with `call`: its id is new, or its function.

    Some providers give no ids and repeat the function in every delta: then arguments tell that begin anew.

    Args:
        delta: of a call; no call has its id yet.
        call: with its index, else the latest.
        numbered_anew: whether no call has its index yet.
    """
    if delta.get("id") and call.get("id"):
        return True
    function, written = _function_in(delta)
    known, deltas = _function_in(call)
    if not function or not known or function != known:
        return bool(function and known)
    if isinstance(written, str) and written.strip():
        last = deltas[-1] if isinstance(deltas, list) and deltas else ""
        return written.lstrip().startswith("{") and isinstance(last, str) and last.rstrip().endswith("}")
    return bool(deltas) if isinstance(written, dict) else numbered_anew


def _function_in(call: Mapping[str, Json]) -> tuple[Json, Json]:
    """Return name and arguments of the function, or the tool, in a call or a delta of one."""
    for kind, member in _ARGUMENTS:
        holder = call.get(kind)
        if isinstance(holder, dict):
            return holder.get("name"), holder.get(member)
    return None, None


def _texts_in(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value if isinstance(value, list) else ()
    return [text for part in parts if isinstance(part, dict) and isinstance(text := part.get("text"), str)]


def _grow(holder: dict[str, Json], delta: Json) -> None:
    """Add a delta of an object: texts that come in deltas are collected, the rest is taken when it comes first."""
    if not isinstance(delta, dict):
        return
    for name, value in delta.items():
        if name in _GROWING and isinstance(value, str):
            deltas = holder.setdefault(name, [])
            if value and isinstance(deltas, list):
                deltas.append(value)
        elif isinstance(value, dict):
            inner = holder.setdefault(name, {})
            if isinstance(inner, dict):
                _grow(inner, value)
        elif name == _SPOKEN:
            holder[name] = REMOVED
        elif value is not None and not holder.get(name):
            holder[name] = value


def _body_of(grown: Mapping[str, Json]) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for name, value in grown.items():
        if isinstance(value, dict):
            body[name] = _body_of(value)
        elif name in _GROWING and isinstance(value, list):
            body[name] = "".join(delta for delta in value if isinstance(delta, str))
        else:
            body[name] = value
    return body
