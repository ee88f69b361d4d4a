"""Messages and items of every API -> the texts in their content."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.values import Json

__all__ = ["content_texts", "joined", "message_texts", "spoken_by_model", "texts_of", "variable_texts"]

_MODEL: Final = "assistant"


def content_texts(content: Json) -> Iterator[str]:
    """Yield the texts of a message's `content`: one, or those of its parts.

    A part holds its text as it is, or, in Assistants messages, as `{value}`.

    Source: event formats, sections 7.3, 8.6 and 8.7.
    """
    if isinstance(content, str):
        if content:
            yield content
    elif isinstance(content, list):
        for part in content:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, dict):
                text = text.get("value")
            if text and isinstance(text, str):
                yield text


def message_texts(messages: Json) -> Iterator[str]:
    """Yield the texts of all messages, or items, of every role."""
    if not isinstance(messages, list):
        return
    for message in messages:
        if isinstance(message, dict):
            yield from content_texts(message.get("content"))


def spoken_by_model(messages: Json) -> Iterator[Mapping[str, Json]]:
    """Yield the messages that are the model's."""
    for message in messages if isinstance(messages, list) else [messages]:
        if isinstance(message, dict) and message.get("role") == _MODEL:
            yield message


def texts_of(value: Json) -> list[str]:
    """Return the texts of a prompt or input: one, or several, or none among token ids."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if item and isinstance(item, str)] if isinstance(value, list) else []


def variable_texts(prompt: Json) -> Iterator[str]:
    """Yield the texts that people put into the variables of a stored prompt: as they are, or in parts.

    Source: event formats, section 8.6.
    """
    variables = prompt.get("variables") if isinstance(prompt, dict) else None
    for value in variables.values() if isinstance(variables, dict) else ():
        yield from content_texts(value if isinstance(value, list) else [value])


def joined(texts: Iterator[str]) -> str | None:
    """Return texts as one, a line each; None when there are none."""
    return "\n".join(texts) or None
