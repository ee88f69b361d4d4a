"""Streams of chat completions and of legacy completions -> one answer."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.domain.values import Json
from shared.operations.asked import Asked
from shared.operations.streams.assembled import Assembled, better_usage, error_in, tells_tokens
from shared.operations.streams.chat_filter import add_new, merge_results
from shared.operations.streams.chat_message import Message
from shared.operations.streams.framing import END, Frames
from shared.operations.streams.models import Models
from shared.operations.streams.repeats import Template

__all__ = ["assemble"]

_NOT_OF_THE_ANSWER: Final = ("choices", "obfuscation", "object", "usage", "error", "model")
_ANNOTATIONS: Final = ("prompt_filter_results", "prompt_annotations")
_MOST: Final = 2048
"""A request has no more prompts, and of one prompt no more than 128 answers."""
_MISSES: Final = 100
"""Chunks in a row of which none is like the one before it: then none will be."""
_CHAT: Final = "chat.completion"
_COMPLETION: Final = "text_completion"


class _Choice:
    """One choice, from its own chunks among those of the others."""

    __slots__ = ("finish_reason", "index", "is_chat", "logprobs", "message", "results", "results_seen", "texts")

    def __init__(self, index: int) -> None:
        self.index = index
        self.message = Message()
        self.texts: list[str] = []
        self.is_chat = False
        self.finish_reason: Json = None
        self.logprobs: dict[str, Json] = {}
        self.results: dict[str, Json] = {}
        self.results_seen: Json = None

    def add(self, told: Mapping[str, Json]) -> str | None:
        """Add what a chunk says of the choice; return its text when there is no more to say but that."""
        text = None
        delta = told.get("delta") or told.get("message")
        if delta:
            self.is_chat = True
            if len(delta) == 1 and isinstance(content := delta.get("content"), str):
                self.message.content.append(content)
                text = content
            elif isinstance(delta, dict):
                self.message.add(delta)
        elif isinstance(content := told.get("text"), str):
            self.texts.append(content)
            text = content
        elif "messages" in told:
            self.is_chat = True
            self.message.add_older(told["messages"])
        if reason := told.get("finish_reason"):
            self.finish_reason = reason
        results = told.get("content_filter_results") or told.get("content_filter_result")
        if results and results != self.results_seen:
            self.results_seen = results
            merge_results(self.results, results)
        if logprobs := told.get("logprobs"):
            _extend(self.logprobs, logprobs)
            return None
        return text

    def whole(self, *, chat: bool) -> dict[str, Json]:
        """Return the choice as an answer in one piece has it."""
        said: dict[str, Json] = {"message": self.message.whole()} if chat else {"text": "".join(self.texts)}
        result = {"index": self.index, "finish_reason": self.finish_reason, **said}
        result["logprobs"] = self.logprobs or None
        if self.results_seen is not None:
            result["content_filter_results"] = self.results
        return result


def assemble(frames: Frames, *, operation: str | None, asked: Asked) -> Assembled:
    """Return the answer; choices by their `index`, however the chunks interleave.

    Source: event formats, sections 9.2 and 9.3.
    """
    answer = _Answer(frames.room, asked)
    object_of = frames.patience.object_of
    template: Template | None = None
    misses = repeats = 0
    for name, data in zip(frames.names, frames.data, strict=True):
        if template is not None and (text := template.text_in(data)) is not None:
            template.pieces.append(text)
            repeats += 1
            misses = 0
            continue
        template = None
        answer.models.repeat(repeats)
        repeats = 0
        chunk = object_of(data)
        answer.breaks_off = chunk is None and not END.startswith(data.strip())
        if chunk is not None:
            choice, text = answer.add(name, chunk)
            if choice is not None and text is not None and misses < _MISSES:
                misses += 1
                pieces = choice.message.content if choice.is_chat else choice.texts
                template = Template.of(data, text, pieces, chat=choice.is_chat)
    answer.models.repeat(repeats)
    frames.left_off |= answer.left_off
    return answer.whole(operation, done=frames.done)


class _Answer:
    """An answer that grows by chunks."""

    def __init__(self, room: int, asked: Asked) -> None:
        self.models = Models()
        self.breaks_off = False
        """The last chunk is not whole."""
        self._room = room
        self._asked = asked
        self._head: dict[str, Json] = dict.fromkeys(_NOT_OF_THE_ANSWER)
        self._choices: dict[int, _Choice] = {}
        self._kind: Json = None
        self._usage: Json = None
        self._usage_to_come = False
        self._error: Json = None
        self.left_off = False

    def add(self, name: str | None, chunk: Mapping[str, Json]) -> tuple[_Choice | None, str | None]:
        """Add a chunk; return choice and text of one that says no more than a piece of its choice's text."""
        if "usage" in chunk:
            # Where usage was asked for every chunk before it says that there is none yet.
            self._usage_to_come = True
            self._usage = better_usage(self._usage, chunk["usage"])
        self._kind = self._kind or chunk.get("object")
        if name == "error" or "error" in chunk or "type" in chunk:
            self._error = self._error or error_in(name, chunk)
        head = self._head
        for member, value in chunk.items():
            # The filter's first chunk leaves empty what it does not know.
            if value and member not in head:
                head[member] = value
            elif member in _ANNOTATIONS and value is not head.get(member):
                _append(head.get(member), value)
        told = chunk.get("choices")
        self._add_model(chunk.get("model"), told)
        if not isinstance(told, list):
            return None, None
        if len(told) > self._room:
            told, self.left_off = told[: self._room], True
        self._room -= len(told)
        choice, text = None, None
        for part in told:
            if isinstance(part, dict) and (choice := self._choice(part.get("index"))) is not None:
                text = choice.add(part)
        return (choice, text) if len(told) == 1 else (None, None)

    def _add_model(self, name: Json, choices: Json) -> None:
        if name and isinstance(name, str):
            self.models.add(name, speaks=isinstance(choices, list) and any(map(_speaks, choices)))

    def whole(self, operation: str | None, *, done: bool) -> Assembled:
        """Return the answer as it is when it comes in one piece."""
        chat = _is_chat(self._choices.values(), self._kind, operation)
        body: dict[str, Json] = {name: value for name, value in self._head.items() if name not in _NOT_OF_THE_ANSWER}
        if chat is not None:
            body["object"] = _CHAT if chat else _COMPLETION
        served, router = self.models.served(self._asked.models)
        if served is not None:
            body["model"] = served
        body["choices"] = [self._choices[index].whole(chat=chat is not False) for index in sorted(self._choices)]
        told = {"usage": self._usage if tells_tokens(self._usage) else None, "error": self._error}
        body |= {name: value for name, value in told.items() if value}
        ended = done or bool(self._error) or self._is_whole()
        return Assembled(body, ended, "completions" if chat is False else "chat.completions", router=router)

    def _is_whole(self) -> bool:
        """Return whether only the mark of the end can be missing: all choices ended, and usage came if it had to."""
        if self.breaks_off or not self._choices or not all(choice.finish_reason for choice in self._choices.values()):
            return False
        usage_to_come = self._usage_to_come if self._asked.usage is None else self._asked.usage
        return tells_tokens(self._usage) or not usage_to_come

    def _choice(self, index: Json) -> _Choice | None:
        place = index if type(index) is int else 0
        known = self._choices.get(place)
        if known is None:
            if len(self._choices) == _MOST:
                self.left_off = True
                return None
            known = self._choices[place] = _Choice(place)
        return known


def _is_chat(choices: Iterable[_Choice], kind: Json, operation: str | None) -> bool | None:
    """Return whether it is a chat; None when nothing tells: the filter's first chunk is all there is."""
    if isinstance(kind, str) and kind in {_COMPLETION, _CHAT, f"{_CHAT}.chunk"}:
        return kind != _COMPLETION
    for choice in choices:
        if choice.is_chat or choice.texts:
            return choice.is_chat
    return {"chat.completions": True, "completions": False}.get(operation or "")


def _speaks(choice: Json) -> bool:
    """Return whether a choice of a chunk brings a piece of the answer."""
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    if isinstance(delta, dict):
        return bool(delta.get("content")) or any(value for name, value in delta.items() if name != "role")
    return bool(choice.get("text"))


def _append(known: Json, value: Json) -> None:
    if isinstance(known, list) and isinstance(value, list):
        add_new(known, value)


def _extend(known: dict[str, Json], logprobs: Json) -> None:
    """Append every list of `logprobs`: of tokens by content and refusal, or the older parallel lists."""
    if not isinstance(logprobs, dict):
        return
    for name, value in logprobs.items():
        before = known.get(name)
        if isinstance(before, list) and isinstance(value, list):
            before.extend(value)
        elif before is None:
            known[name] = value
