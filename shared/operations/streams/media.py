"""Streams of transcriptions, speech and images -> one answer, without sound and pixels."""

from collections.abc import Iterable
from typing import Final

from shared.domain.secrets import REMOVED
from shared.domain.values import Json
from shared.operations.errors import error_in_event
from shared.operations.streams.answer import StreamAnswer
from shared.operations.streams.framing import Event
from shared.operations.usage import better_usage

__all__ = ["assemble_images", "assemble_speech", "assemble_transcription"]

_IMAGE: Final = "b64_json"


def assemble_transcription(events: Iterable[Event], *, done: bool) -> StreamAnswer:
    """Return text, usage and, of several speakers, the segments.

    Source: event formats, section 9.5.
    """
    body: dict[str, Json] = {}
    deltas: list[str] = []
    segments: list[Json] = []
    ended = done
    for name, event in events:
        kind = event.get("type")
        if kind == "transcript.text.done":
            body.update(_members_of(event))
            ended = True
        elif kind == "transcript.text.delta" and isinstance(event.get("delta"), str):
            deltas.append(event["delta"])
        elif kind == "transcript.text.segment":
            segments.append(_members_of(event))
        elif error := error_in_event(name, event):
            body["error"], ended = error, True
    if segments:
        body["segments"] = segments
    if not isinstance(body.get("text"), str):
        spoken = [segment["text"] for segment in segments if isinstance(segment.get("text"), str)]
        body["text"] = "".join(deltas or spoken).lstrip()
    return StreamAnswer(body, ended, "audio.transcriptions", body["text"] or None)


def assemble_speech(events: Iterable[Event], *, done: bool) -> StreamAnswer:
    """Return the usage; the sound is not kept."""
    body: dict[str, Json] = {}
    ended = done
    for name, event in events:
        kind = event.get("type")
        if kind == "speech.audio.done":
            body.update(_members_of(event))
            ended = True
        elif kind != "speech.audio.delta" and (error := error_in_event(name, event)):
            body["error"], ended = error, True
    return StreamAnswer(body, ended, "audio.speech")


def assemble_images(events: Iterable[Event], *, done: bool) -> StreamAnswer:
    """Return an entry per finished image, without the image, and what stands beside it."""
    body: dict[str, Json] = {}
    images: list[Json] = []
    ended = done
    operation = "images.generations"
    for name, event in events:
        kind = event.get("type") or name
        if not isinstance(kind, str):
            continue
        if kind.startswith("image_edit."):
            operation = "images.edits"
        if kind.endswith(".completed"):
            image = _members_of(event)
            beside = {key: image.pop(key) for key in list(image) if key not in {_IMAGE, "url", "revised_prompt"}}
            usage = better_usage(body.get("usage"), beside.get("usage"))
            body.update(beside | ({"usage": usage} if usage else {}))
            images.append(image | ({_IMAGE: REMOVED} if _IMAGE in image else {}))
            ended = True
        elif error := error_in_event(name, event):
            body["error"], ended = error, True
    if isinstance(body.get("created_at"), int):
        body["created"] = body.pop("created_at")
    return StreamAnswer(body | {"data": images}, ended, operation)


def _members_of(event: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in event.items() if key not in {"type", "sequence_number", "obfuscation"}}
