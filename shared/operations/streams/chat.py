"""Streams of chat completions and of legacy completions -> one answer."""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from shared.domain.values import Json
from shared.operations.content_filter import add_new, add_results
from shared.operations.errors import error_in_event
from shared.operations.readings import RequestContext
from shared.operations.streams.answer import Models, StreamAnswer
from shared.operations.streams.chat_message import Message
from shared.operations.streams.framing import END, Frames
from shared.operations.usage import better_usage, tells_tokens

__all__ = ["assemble"]

_NOT_OF_THE_ANSWER: Final = ("choices", "obfuscation", "object", "usage", "error", "model")
_ANNOTATIONS: Final = ("prompt_filter_results", "prompt_annotations")
_MOST: Final = 2048
"""A request has no more prompts, and of one prompt no more than 128 answers."""
_MISSES: Final = 100
"""Chunks in a row of which none is like the one before it: then none will be."""
_CHAT: Final = "chat.completion"
_COMPLETION: Final = "text_completion"
_CHAT_TEXT: Final = '"delta":{"content":"'
_TEXT: Final = '"text":"'
_PADDING: Final = ',"obfuscation":"'


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

    def add(self, part: Mapping[str, Json]) -> str | None:
        """Add what a chunk says of the choice; return its text when there is no more to say but that."""
        text = None
        delta = part.get("delta") or part.get("message")
        if delta:
            self.is_chat = True
            if len(delta) == 1 and isinstance(content := delta.get("content"), str):
                self.message.content.append(content)
                text = content
            elif isinstance(delta, dict):
                self.message.add(delta)
        elif isinstance(content := part.get("text"), str):
            self.texts.append(content)
            text = content
        elif "messages" in part:
            self.is_chat = True
            self.message.add_older(part["messages"])
        if reason := part.get("finish_reason"):
            self.finish_reason = reason
        results = part.get("content_filter_results") or part.get("content_filter_result")
        if results and results != self.results_seen:
            self.results_seen = results
            add_results(self.results, results)
        if logprobs := part.get("logprobs"):
            _extend(self.logprobs, logprobs)
            return None
        return text

    def body(self, *, chat: bool) -> dict[str, Json]:
        """Return the choice as an answer in one body has it."""
        content: dict[str, Json] = {"message": self.message.body()} if chat else {"text": "".join(self.texts)}
        result = {"index": self.index, "finish_reason": self.finish_reason, **content}
        result["logprobs"] = self.logprobs or None
        if self.results_seen is not None:
            result["content_filter_results"] = self.results
        return result


def assemble(frames: Frames, *, operation: str | None, context: RequestContext) -> StreamAnswer:
    """Return the answer; choices by their `index`, however the chunks interleave.

    Source: event formats, sections 9.2 and 9.3.
    """
    answer = _Answer(frames.room, context)
    object_of = frames.patience.object_of
    template: _Template | None = None
    misses = repeats = 0
    for name, data in zip(frames.names, frames.data, strict=True):
        if template is not None and (text := template.text_in(data)) is not None:
            template.texts.append(text)
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
                texts = choice.message.content if choice.is_chat else choice.texts
                template = _Template.of(data, text, texts, chat=choice.is_chat)
    answer.models.repeat(repeats)
    frames.left_off |= answer.left_off
    return answer.assemble(operation, done=frames.done)


class _Answer:
    """An answer that grows by chunks."""

    def __init__(self, room: int, context: RequestContext) -> None:
        self.models = Models()
        self.breaks_off = False
        """The last chunk is cut."""
        self._room = room
        self._context = context
        self._head: dict[str, Json] = dict.fromkeys(_NOT_OF_THE_ANSWER)
        self._choices: dict[int, _Choice] = {}
        self._kind: Json = None
        self._usage: Json = None
        self._usage_to_come = False
        self._error: Json = None
        self.left_off = False

    def add(self, name: str | None, chunk: Mapping[str, Json]) -> tuple[_Choice | None, str | None]:
        """Add a chunk; return choice and text of one that says no more than some text of its choice."""
        if "usage" in chunk:
            # Where usage was asked for every chunk before it says that there is none yet.
            self._usage_to_come = True
            self._usage = better_usage(self._usage, chunk["usage"])
        self._kind = self._kind or chunk.get("object")
        if name == "error" or "error" in chunk or "type" in chunk:
            self._error = self._error or error_in_event(name, chunk)
        head = self._head
        for member, value in chunk.items():
            # The filter's first chunk leaves empty what it does not know.
            if value and member not in head:
                head[member] = value
            elif member in _ANNOTATIONS and value is not head.get(member):
                _append(head.get(member), value)
        parts = chunk.get("choices")
        self._add_model(chunk.get("model"), parts)
        if not isinstance(parts, list):
            return None, None
        if len(parts) > self._room:
            parts, self.left_off = parts[: self._room], True
        self._room -= len(parts)
        choice, text = None, None
        for part in parts:
            if isinstance(part, dict) and (choice := self._choice(part.get("index"))) is not None:
                text = choice.add(part)
        return (choice, text) if len(parts) == 1 else (None, None)

    def _add_model(self, name: Json, choices: Json) -> None:
        if name and isinstance(name, str):
            self.models.add(name, speaks=isinstance(choices, list) and any(map(_speaks, choices)))

    def assemble(self, operation: str | None, *, done: bool) -> StreamAnswer:
        """Return the answer as it is when it comes in one body."""
        chat = _is_chat(self._choices.values(), self._kind, operation)
        body: dict[str, Json] = {name: value for name, value in self._head.items() if name not in _NOT_OF_THE_ANSWER}
        if chat is not None:
            body["object"] = _CHAT if chat else _COMPLETION
        served, router = self.models.model_and_router(self._context.models)
        if served is not None:
            body["model"] = served
        body["choices"] = [self._choices[index].body(chat=chat is not False) for index in sorted(self._choices)]
        beside = {"usage": self._usage if tells_tokens(self._usage) else None, "error": self._error}
        body |= {name: value for name, value in beside.items() if value}
        ended = done or bool(self._error) or self._is_complete()
        return StreamAnswer(body, ended, "completions" if chat is False else "chat.completions", router=router)

    def _is_complete(self) -> bool:
        """Return whether only the mark of the end can be missing: all choices ended, and usage came if it had to."""
        if self.breaks_off or not self._choices or not all(choice.finish_reason for choice in self._choices.values()):
            return False
        usage_to_come = self._usage_to_come if self._context.usage is None else self._context.usage
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
    """Return whether a choice of a chunk brings some of the answer."""
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


class _Template:
    """The chunk around a text, as the service wrote it: tells those that differ in their text alone, without parsing.

    Nearly all chunks of a stream are such: a service writes the same object around every few letters.
    """

    __slots__ = ("_after", "_before", "_length", "texts")

    def __init__(self, before: str, after: str, texts: list[str]) -> None:
        """Keep what stands before and after the text, and where texts go."""
        self._before = before
        self._after = after
        self._length = len(before) + len(after)
        self.texts = texts
        """The texts of the choice that these chunks belong to."""

    @classmethod
    def of(cls, data: str, text: str, texts: list[str], *, chat: bool) -> "_Template | None":
        """Return the template of a chunk, written as `data`, that says nothing but `text`; None when unsure."""
        bare = _without_padding(data)
        mark = _CHAT_TEXT if chat else _TEXT
        start = bare.find(mark) + len(mark)
        if start < len(mark) or not bare.startswith(f'{text}"', start) or bare.find(mark, start) >= 0:
            return None
        return cls(bare[:start], bare[start + len(text) :], texts)

    def text_in(self, data: str) -> str | None:
        """Return the text of `data`, when that is all that it says and the template doesn't."""
        bare = data
        if not data.endswith(self._after):
            bare = _without_padding(data)
            if not bare.endswith(self._after):
                return None
        if len(bare) < self._length or not bare.startswith(self._before):
            return None
        text = bare[len(self._before) : len(bare) - len(self._after)]
        if "\\" not in text and '"' not in text:
            return text
        try:
            plain = orjson.loads(f'"{text}"')
        except orjson.JSONDecodeError:
            return None
        return plain if isinstance(plain, str) else None


def _without_padding(data: str) -> str:
    """Return `data` less the member with random letters that hides the text's length."""
    start = data.rfind(_PADDING)
    if start < 0:
        return data
    end = data.find('"', start + len(_PADDING))
    return data[:start] + data[end + 1 :] if data[start + len(_PADDING) : end].isalnum() else data
