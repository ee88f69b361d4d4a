"""Event-stream text -> the answer that the service would have sent in one body; one assembler per family.

To add a family: an assembler, one line in `_ASSEMBLERS`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from shared.domain.values import Json
from shared.operations.errors import error_in_event
from shared.operations.readings import UNKNOWN, RequestContext
from shared.operations.streams import assistants, chat, media, responses
from shared.operations.streams.answer import StreamAnswer
from shared.operations.streams.event_stream import text_of_bytes
from shared.operations.streams.framing import FIRST_LINE, Event, Frames, elements_of, events_of, frames_of, objects_in

__all__ = ["StreamAnswer", "assemble", "elements_of", "objects_in", "text_of_bytes"]

Assembler = Callable[[Iterable[Event]], StreamAnswer]

_CONTENT_TYPE: Final = "text/event-stream"
_RESPONSE: Final = "response."
_OPENING: Final = 80
"""Characters in which the first event says what it is."""
_STREAM_START: Final = re.compile(
    r"\ufeff?\s*+(?:(?:data: ?)+\{|(?:data: ?)*event: ?(?:response|thread|image_generation|image_edit)\.|"
    r"event: ?[\w.]{1,40}+\r?\ndata: ?\{)"
)
"""What can only be a stream, though it was cut inside its first event."""


_FIRST_EVENTS: Final = 256
"""Of them some tell whose stream it is."""


class _Task(NamedTuple):
    frames: Frames
    operation: str | None
    context: RequestContext


def _choices(task: _Task) -> StreamAnswer:
    return chat.assemble(task.frames, operation=task.operation, context=task.context)


def _of_events(assemble_events: Callable[..., StreamAnswer]) -> Callable[[_Task], StreamAnswer]:
    return lambda task: assemble_events(events_of(task.frames), done=task.frames.done)


_ASSEMBLERS: Final[tuple[tuple[str, Callable[[_Task], StreamAnswer]], ...]] = (
    ("chat.completion", _choices),
    ("text_completion", _choices),
    ("response.", lambda task: responses.assemble(task.frames, task.context)),
    ("thread.", lambda task: assistants.assemble(task.frames)),
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
    context: RequestContext = UNKNOWN,
    event_of: Callable[[str | None, Mapping[str, Json]], Assembler | None] = _of_nobody,
) -> StreamAnswer | None:
    """Return the answer that the stream in `text` amounts to; None when it is no stream.

    Args:
        text: the stream, complete or cut anywhere.
        operation: as the source tells it, for streams cut before their events do.
        content_type: of the answer, where the source tells it.
        context: what is known of the request.
        event_of: name and data of an event -> what assembles its stream, for streams that are not OpenAI's.
    """
    declared = isinstance(content_type, str) and content_type.lstrip().lower().startswith(_CONTENT_TYPE)
    if not declared and FIRST_LINE.match(text) is None:
        return None
    if _RESPONSE in text[:_OPENING] and (finished := responses.assemble_finished(text, context)) is not None:
        return finished
    frames = frames_of(text)
    family, has_event, error = _family(frames, event_of)
    if family is not None:
        found = family(_Task(frames, operation, context))
        return found._replace(ended=False) if frames.cut else found
    if has_event and (declared or not text.lstrip("\ufeff \t\r\n").startswith("{")):
        return StreamAnswer({"error": error}, ended=not frames.cut) if error else StreamAnswer(None, None)
    if not declared and _STREAM_START.match(text) is None:
        return None
    return StreamAnswer(None, ended=False if _breaks_off(text, frames) else None)


def _breaks_off(text: str, frames: Frames) -> bool:
    """Return whether a stream, no event of which is complete, was cut in its first event, or before it."""
    if len(frames.data) > 1 or (frames.data and not frames.data[0].lstrip().startswith("{")):
        return False
    return bool(frames.data) or "data:".startswith(text.strip()) or FIRST_LINE.match(text) is not None


def _family(
    frames: Frames, event_of: Callable[[str | None, Mapping[str, Json]], Assembler | None]
) -> tuple[Callable[[_Task], StreamAnswer] | None, bool, Json]:
    """Return the assembler of the first event that belongs to one, whether any event was complete, the first error."""
    has_event = False
    error: Json = None
    for number, event in enumerate(events_of(frames)):
        has_event = True
        found = _assembler(event)
        if found is not None:
            return found, True, None
        if number < _FIRST_EVENTS and (theirs := event_of(*event)) is not None:
            return _of(theirs), True, None
        error = error or error_in_event(*event)
    return None, has_event, error


def _of(assembler: Assembler) -> Callable[[_Task], StreamAnswer]:
    return lambda task: assembler(events_of(task.frames))


def _assembler(event: Event) -> Callable[[_Task], StreamAnswer] | None:
    name, data = event
    if isinstance(data.get("choices"), list):
        return _choices
    for label in (name, data.get("type"), data.get("object")):
        if isinstance(label, str) and label.startswith(_BEGINNINGS):
            return next(family for prefix, family in _ASSEMBLERS if label.startswith(prefix))
    return None
