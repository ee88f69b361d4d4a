"""Bodies of threads and of their messages."""

from collections.abc import Mapping

from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import content_texts, joined, message_texts, spoken_by_model

__all__ = ["read_message_request", "read_message_response", "read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read what a thread is created or changed with; the prompt is the text of its first messages.

    Source: event formats, section 8.7.
    """
    return asked(body, joined(message_texts(body.get("messages"))))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a thread: it holds no messages."""
    return answered(body, {}, None)


def read_message_request(body: Mapping[str, Json]) -> Said:
    """Read a message that is added, or changed; the prompt is its text."""
    return asked(body, joined(content_texts(body.get("content"))))


def read_message_response(body: Mapping[str, Json]) -> Said:
    """Read a message, or a list of them; the completion is what the model says in them.

    Clients that poll a run get the model's answer here, and nowhere else.
    """
    listed = body.get("data") if body.get("object") == "list" else body
    return answered(body, {}, joined(message_texts(list(spoken_by_model(listed)))))
