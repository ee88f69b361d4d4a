"""Bodies of conversations and of their items."""

from collections.abc import Mapping

from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import joined, message_texts

__all__ = ["read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read what a conversation is created with, or given; the prompt is the text of the items."""
    return asked(body, joined(message_texts(body.get("items"))))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a conversation, an item or a list of items: what the model says in them, its response has told."""
    return answered(body, {}, None)
