"""Streams of transcriptions, speech and images -> one answer, without sound and pixels."""

from collections.abc import Iterable
from typing import Final

from shared.domain.values import Json
from shared.operations.streams.assembled import Assembled, better_usage, error_in
from shared.operations.streams.framing import Event
from shared.operations.withheld import REMOVED

__all__ = ["assemble_images", "assemble_speech", "assemble_transcription"]

_IMAGE: Final = "b64_json"


def assemble_transcription(events: Iterable[Event], *, done: bool) -> Assembled:
    """Return text, usage and, of several speakers, the segments.

    Source: event formats, section 9.5.
    """
    body: dict[str, Json] = {}
    pieces: list[str] = []
    segments: list[Json] = []
    ended = done
    for name, event in events:
        kind = event.get("type")
        if kind == "transcript.text.done":
            body.update(_told(event))
            ended = True
        elif kind == "transcript.text.delta" and isinstance(event.get("delta"), str):
            pieces.append(event["delta"])
        elif kind == "transcript.text.segment":
            segments.append(_told(event))
        elif error := error_in(name, event):
            body["error"], ended = error, True
    if segments:
        body["segments"] = segments
    if not isinstance(body.get("text"), str):
        spoken = [segment["text"] for segment in segments if isinstance(segment.get("text"), str)]
        body["text"] = "".join(pieces or spoken).lstrip()
    return Assembled(body, ended, "audio.transcriptions", body["text"] or None)


def assemble_speech(events: Iterable[Event], *, done: bool) -> Assembled:
    """Return the usage; the sound is not kept."""
    body: dict[str, Json] = {}
    ended = done
    for name, event in events:
        kind = event.get("type")
        if kind == "speech.audio.done":
            body.update(_told(event))
            ended = True
        elif kind != "speech.audio.delta" and (error := error_in(name, event)):
            body["error"], ended = error, True
    return Assembled(body, ended, "audio.speech")


def assemble_images(events: Iterable[Event], *, done: bool) -> Assembled:
    """Return an entry per finished image, without the image, and what was told of it."""
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
            image = _told(event)
            told = {key: image.pop(key) for key in list(image) if key not in {_IMAGE, "url", "revised_prompt"}}
            usage = better_usage(body.get("usage"), told.get("usage"))
            body.update(told | ({"usage": usage} if usage else {}))
            images.append(image | ({_IMAGE: REMOVED} if _IMAGE in image else {}))
            ended = True
        elif error := error_in(name, event):
            body["error"], ended = error, True
    if isinstance(body.get("created_at"), int):
        body["created"] = body.pop("created_at")
    return Assembled(body | {"data": images}, ended, operation)


def _told(event: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in event.items() if key not in {"type", "sequence_number", "obfuscation"}}
