"""What a request says that its answer is read by."""

from typing import Final, NamedTuple

from shared.domain.values import Json

__all__ = ["UNKNOWN", "Asked", "asked_in"]


class Asked(NamedTuple):
    """What is known of the request when its answer is read."""

    models: tuple[str, ...] = ()
    """Names under which the model was asked for."""
    usage: bool | None = None
    """Whether a stream was asked to tell its usage; None when nobody knows."""


UNKNOWN: Final = Asked()


def asked_in(request: Json, *, deployment: str | None, cut: bool = False) -> Asked:
    """Return what a request body asks for.

    Args:
        request: the parsed body; anything but an object says nothing.
        deployment: as the path names it.
        cut: whether the end of the body is missing.
    """
    body = request if isinstance(request, dict) else {}
    names = (body.get("model"), deployment)
    options = body.get("stream_options")
    usage: bool | None = None
    if isinstance(options, dict) and "include_usage" in options:
        usage = options["include_usage"] is True
    elif body and not cut:
        usage = False
    return Asked(tuple(name for name in names if isinstance(name, str) and name), usage)
