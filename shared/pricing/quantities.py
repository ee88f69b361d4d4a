"""What a call used -> what is billed of it, unit by unit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from shared.pricing.entries import Unit

__all__ = ["Quantities", "Quantity", "quantities_of"]

_NO_OUTPUT: Final = frozenset({"embeddings", "moderations"})
_VIDEOS: Final = "videos"
_SPEECH: Final = "audio.speech"
_DEFAULT_SIZE: Final = "1024x1024"
_QUALITIES: Final = {None: "standard", "auto": "standard"}
"""What an image is made with unless the request says otherwise.

Source: https://learn.microsoft.com/azure/foundry/openai/how-to/dall-e, "Call the image generation API"
"""
_TOOLS: Final = {
    Unit.SEARCH: "web_searches",
    Unit.FILE_SEARCH: "file_searches",
    Unit.CODE_SESSION: "code_sessions",
}
"""Unit -> the field that counts it."""


class Quantity(NamedTuple):
    """So many of a unit."""

    unit: Unit
    number: Decimal
    variant: str = ""


class Quantities(NamedTuple):
    """What is billed of a call."""

    lines: list[Quantity]
    input_tokens: int
    """All of them: prices of long contexts go by their number."""
    doubt: str | None = None
    """Why the lines are not exactly what was used."""
    output_tokens: int | None = None
    """All of them; None where it is not billed by tokens."""


def quantities_of(call: Mapping[str, Any]) -> Quantities | None:
    """Return what is billed of a call; None when nothing tells what it used."""
    tokens = _tokens(call)
    if tokens is None:
        other = _by_other_units(call)
        return None if other is None else Quantities([other, *_tools(call)], 0)
    return tokens._replace(lines=[*tokens.lines, *_tools(call)])


def _tokens(call: Mapping[str, Any]) -> Quantities | None:
    given, made = _totals(call)
    if given is None and made is None:
        return None
    doubt = "output-unknown" if made is None else "input-unknown" if given is None else None
    read, overlaps = _input(call, given or 0)
    written, exceeds = _output(call, made or 0)
    if overlaps or exceeds:
        doubt = doubt or "parts-overlap"
    return Quantities([one for one in (*read, *written) if one.number], given or 0, doubt, made or 0)


def _totals(call: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return all input and all output tokens; what follows from the total alone counts as known."""
    given, made, total = (call.get(name) for name in ("input_tokens", "output_tokens", "total_tokens"))
    if call.get("operation") in _NO_OUTPUT:
        return (total if given is None else given), made or 0
    if total is not None and (given is None) != (made is None):
        known = made if given is None else given
        rest = max(total - (known or 0), 0)
        return (rest, made) if given is None else (given, rest)
    return given, made


def _input(call: Mapping[str, Any], total: int) -> tuple[list[Quantity], bool]:
    """Return the kinds of input, which are parts of the total: none is below zero, and they never exceed it.

    Some models report more cached tokens than input tokens, and those that were cached may be sound or images too:
    then it is not known which part is which.
    """
    rest = total
    lines: list[Quantity] = []
    parts = {
        Unit.CACHED_INPUT: call.get("cached_input_tokens") or 0,
        Unit.CACHE_WRITE: call.get("cache_write_tokens") or 0,
        Unit.AUDIO_INPUT: call.get("audio_input_tokens") or 0,
        Unit.IMAGE_INPUT: call.get("image_input_tokens") or 0,
    }
    overlaps = sum(parts.values()) > total or bool(
        parts[Unit.CACHED_INPUT] and (parts[Unit.AUDIO_INPUT] or parts[Unit.IMAGE_INPUT])
    )
    for unit, number in parts.items():
        taken = min(number, rest)
        rest -= taken
        if unit is Unit.CACHE_WRITE:
            # Anthropic's are kept for five minutes or for an hour, at two prices.
            long = min(call.get("cache_write_1h_tokens") or 0, taken)
            if long:
                lines.append(Quantity(Unit.CACHE_WRITE_1H, Decimal(long)))
            taken -= long
        if taken:
            lines.append(Quantity(unit, Decimal(taken)))
    return [Quantity(Unit.INPUT, Decimal(rest)), *lines], overlaps


def _output(call: Mapping[str, Any], total: int) -> tuple[list[Quantity], bool]:
    """Return the kinds of output. Reasoning is billed as output, and the total holds it."""
    sound = min(call.get("audio_output_tokens") or 0, total)
    images = min(call.get("image_output_tokens") or 0, total - sound)
    exceeds = (call.get("audio_output_tokens") or 0) + (call.get("image_output_tokens") or 0) > total
    lines = {Unit.OUTPUT: total - sound - images, Unit.AUDIO_OUTPUT: sound, Unit.IMAGE_OUTPUT: images}
    return [Quantity(unit, Decimal(number)) for unit, number in lines.items() if number], exceeds


def _by_other_units(call: Mapping[str, Any]) -> Quantity | None:
    """Return what is billed of a call that has no tokens: images, seconds or characters."""
    operation, parameters = call.get("operation"), _parameters(call)
    if call.get("images"):
        quality = parameters.get("quality")
        size = parameters.get("size") or _DEFAULT_SIZE
        variant = f"{_QUALITIES.get(quality, quality)} {size}"
        return Quantity(Unit.IMAGE, Decimal(call["images"]), variant)
    if call.get("seconds"):
        # The shortest decimal that is the same float is the number that the service wrote.
        seconds = Decimal(repr(float(call["seconds"])))
        if operation == _VIDEOS:
            return Quantity(Unit.VIDEO_SECOND, seconds, str(parameters.get("size") or ""))
        return Quantity(Unit.AUDIO_SECOND, seconds)
    if operation == _SPEECH and call.get("characters"):
        return Quantity(Unit.CHARACTER, Decimal(call["characters"]))
    return None


def _tools(call: Mapping[str, Any]) -> list[Quantity]:
    numbers = {unit: call.get(name) for unit, name in _TOOLS.items()}
    return [Quantity(unit, Decimal(number)) for unit, number in numbers.items() if number]


def _parameters(call: Mapping[str, Any]) -> dict[str, Any]:
    written = call.get("parameters")
    parameters = orjson.loads(written) if written else {}
    return parameters if isinstance(parameters, dict) else {}
