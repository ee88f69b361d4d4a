"""Ids in paths: texts of others, which may hold anything."""

import base64
import binascii
from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator
from starlette.convertors import Convertor, register_url_convertor

__all__ = ["ItemId", "id_of"]

_SIGN: Final = "~"
"""What an id begins with that is written in base64url."""


class _Anything(Convertor[str]):
    """A part of a path with whatever signs: slashes, and ends of lines, which Starlette's `path` does not take."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return it as it is."""
        return value


register_url_convertor("anything", _Anything())


def id_of(written: str) -> str:
    """Return the id that a path means: `~` and its UTF-8 in base64url, or the id itself.

    Hosts and proxies decode, join and cut paths each in their own way; what is written so passes all of them.

    Raises:
        ValueError: it begins with `~`, and what follows is no such text.
    """
    if not written.startswith(_SIGN):
        return written
    data = written.removeprefix(_SIGN)
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise ValueError("behind ~ stands no base64url of an id in UTF-8") from error


_DESCRIPTION: Final = (
    "the id as it is, or ~ and its UTF-8 in base64url without padding: needed where it begins with ~, ends in the name "
    "of a route below it, or holds what the host before the app does not pass on"
)

ItemId = Annotated[
    str, Path(alias="id", description=_DESCRIPTION, json_schema_extra={"x-base64url": True}), AfterValidator(id_of)
]
