"""Settings -> values: what many of them have in common."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from shared.errors import ConfigurationError

__all__ = ["number_in", "word_in"]

_Number = TypeVar("_Number", int, float)


def word_in(environment: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """Return the setting `name`, which is one of the words `known`: the first when it is empty or not set."""
    value = environment.get(name, "") or known[0]
    if value not in known:
        raise ConfigurationError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    return value


def number_in(
    environment: Mapping[str, str],
    name: str,
    read: Callable[[str], _Number],
    default: _Number,
    *,
    least: float = 0,
    most: float = 1_000_000,
) -> _Number:
    """Return the setting `name` as a number from `least` to `most`; `default` when it is empty or not set."""
    written = environment.get(name, "").strip()
    if not written:
        return default
    try:
        value = read(written) if written.isascii() else None
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {most:g}, not {written!r}")
    return value
