"""Event-stream text -> the answer that the service would have sent in one piece; one assembler per family.

To add a family: an assembler, one line in `_ASSEMBLERS`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from shared.domain.values import Json
from shared.operations.asked import UNKNOWN, Asked
from shared.operations.streams import choices, media, responses, runs
from shared.operations.streams.assembled import Assembled, error_in
from shared.operations.streams.event_stream import text_of_bytes, text_of_logged
from shared.operations.streams.framing import Event, Frames, elements_of, events_of, frames_of, objects_in
from shared.operations.streams.withheld import withhold_from_events

__all__ = ["Assembled", "assemble", "elements_of", "objects_in", "text_of_bytes", "withhold_from_stream"]

Assembler = Callable[[Iterable[Event]], Assembled]

_CONTENT_TYPE: Final = "text/event-stream"
_RESPONSE: Final = "response."
_OPENING: Final = 80
"""Characters in which the first event says what it is."""
_LINE: Final = re.compile(r"\ufeff?\s*+(?:(?:data|event|id|retry)?:|\{)")
"""How the first line begins that says anything; a log may have dropped `data:`."""
_BEGUN: Final = re.compile(
    r"\ufeff?\s*+(?:(?:data: ?)+\{|(?:data: ?)*event: ?(?:response|thread|image_generation|image_edit)\.|"
    r"event: ?[\w.]{1,40}+\r?\ndata: ?\{)"
)
"""What can only be a stream, though it was cut inside its first event."""


_TELLING: Final = 256
"""Events, of which some tell whose stream it is."""


class _Task(NamedTuple):
    frames: Frames
    operation: str | None
    asked: Asked


def _choices(task: _Task) -> Assembled:
    return choices.assemble(task.frames, operation=task.operation, asked=task.asked)


def _of_events(assemble_events: Callable[..., Assembled]) -> Callable[[_Task], Assembled]:
    return lambda task: assemble_events(events_of(task.frames), done=task.frames.done)


_ASSEMBLERS: Final[tuple[tuple[str, Callable[[_Task], Assembled]], ...]] = (
    ("chat.completion", _choices),
    ("text_completion", _choices),
    ("response.", lambda task: responses.assemble(task.frames, task.asked)),
    ("thread.", lambda task: runs.assemble(task.frames)),
    ("transcript.", _of_events(media.assemble_transcription)),
    ("speech.", _of_events(media.assemble_speech)),
    ("image_generation.", _of_events(media.assemble_images)),
    ("image_edit.", _of_events(media.assemble_images)),
)
"""How the events of a family begin their name, `type` or `object`."""
_BEGINNINGS: Final = tuple(prefix for prefix, _ in _ASSEMBLERS)


def _of_nobody(_: str | None, __: Mapping[str, Json]) -> Assembler | None:
    return None


def assemble(
    text: str,
    *,
    operation: str | None = None,
    content_type: Json = None,
    asked: Asked = UNKNOWN,
    event_of: Callable[[str | None, Mapping[str, Json]], Assembler | None] = _of_nobody,
) -> Assembled | None:
    """Return the answer that the stream in `text` amounts to; None when it is no stream.

    Args:
        text: the stream, whole or cut anywhere.
        operation: as the source tells it, for streams cut before their events do.
        content_type: of the answer, where the source tells it.
        asked: what is known of the request.
        event_of: name and data of an event -> what assembles its stream, for streams that are not OpenAI's.
    """
    declared = isinstance(content_type, str) and content_type.lstrip().lower().startswith(_CONTENT_TYPE)
    if not declared and _LINE.match(text) is None:
        return None
    if _RESPONSE in text[:_OPENING] and (finished := responses.assemble_finished(text, asked)) is not None:
        return finished
    frames = frames_of(text)
    family, whole, error = _family(frames, event_of)
    if family is not None:
        found = family(_Task(frames, operation, asked))
        return found._replace(ended=False) if frames.cut else found
    if whole and (declared or not text.lstrip("\ufeff \t\r\n").startswith("{")):
        return Assembled({"error": error}, ended=not frames.cut) if error else Assembled(None, None)
    if not declared and _BEGUN.match(text) is None:
        return None
    return Assembled(None, ended=False if _breaks_off(text, frames) else None)


def _breaks_off(text: str, frames: Frames) -> bool:
    """Return whether a stream, no event of which is whole, was cut in its first event, or before it."""
    if len(frames.data) > 1 or (frames.data and not frames.data[0].lstrip().startswith("{")):
        return False
    return bool(frames.data) or "data:".startswith(text.strip()) or _LINE.match(text) is not None


def withhold_from_stream(text: str) -> str:
    """Return `text` less the sound and pixels of a stream; the same object when there is nothing to remove.

    A binary stream that a log turned into text becomes one of server-sent events.
    """
    plain = text_of_logged(text)
    if plain is not None:
        return plain
    return text if _LINE.match(text) is None else withhold_from_events(text)


def _family(
    frames: Frames, event_of: Callable[[str | None, Mapping[str, Json]], Assembler | None]
) -> tuple[Callable[[_Task], Assembled] | None, bool, Json]:
    """Return the assembler of the first event that belongs to one, whether any event was whole, and the first error."""
    whole = False
    error: Json = None
    for number, event in enumerate(events_of(frames)):
        whole = True
        found = _assembler(event)
        if found is not None:
            return found, True, None
        if number < _TELLING and (theirs := event_of(*event)) is not None:
            return _of(theirs), True, None
        error = error or error_in(*event)
    return None, whole, error


def _of(assembler: Assembler) -> Callable[[_Task], Assembled]:
    return lambda task: assembler(events_of(task.frames))


def _assembler(event: Event) -> Callable[[_Task], Assembled] | None:
    name, told = event
    if isinstance(told.get("choices"), list):
        return _choices
    for label in (name, told.get("type"), told.get("object")):
        if isinstance(label, str) and label.startswith(_BEGINNINGS):
            return next(family for prefix, family in _ASSEMBLERS if label.startswith(prefix))
    return None
