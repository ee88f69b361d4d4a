"""The part of Newtonsoft.Json that the policies use: tokens with a parent, and its writer."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["JArray", "JObject", "JProperty", "JToken", "JValue", "parse_array", "token", "written_text"]


class JToken:
    """A token. Adding one that has a parent already adds a copy, as the library does."""

    parent: "JToken | None" = None

    @property
    def type_name(self) -> str:
        raise NotImplementedError

    def written(self) -> str:
        """Return what `ToString(Formatting.None)` does."""
        raise NotImplementedError

    def copy(self) -> "JToken":
        raise NotImplementedError

    def children(self) -> list["JToken"]:
        return []

    def descendants(self) -> Iterator["JToken"]:
        for child in self.children():
            yield child
            yield from child.descendants()

    def adopt(self, child: "JToken") -> Any:
        child = child.copy() if child.parent is not None else child
        child.parent = self
        return child


class JValue(JToken):
    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def type_name(self) -> str:
        names = {type(None): "Null", bool: "Boolean", int: "Integer", float: "Float", str: "String"}
        return names[type(self.value)]

    def written(self) -> str:
        if isinstance(self.value, str):
            return written_text(self.value)
        return json.dumps(self.value)

    def copy(self) -> JToken:
        return JValue(self.value)


class JProperty(JToken):
    def __init__(self, name: str, content: Any) -> None:
        self.name = name
        self.value: JToken = self.adopt(token(content))

    @property
    def type_name(self) -> str:
        return "Property"

    def replace(self, content: Any) -> None:
        self.value = self.adopt(token(content))

    def written(self) -> str:
        return f"{written_text(self.name)}:{self.value.written()}"

    def copy(self) -> JToken:
        return JProperty(self.name, self.value.copy())

    def children(self) -> list[JToken]:
        return [self.value]

    def remove(self) -> None:
        parent = self.parent
        assert isinstance(parent, JObject), "The parent is missing."
        parent.properties.remove(self)
        self.parent = None


class JObject(JToken):
    def __init__(self, *content: Any) -> None:
        self.properties: list[JProperty] = []
        for one in content:
            assert isinstance(one, JProperty), "Can not add a token that is no property to an object."
            assert self.get(one.name) is None, f"A property {one.name} is there already."
            self.properties.append(self.adopt(one))

    @property
    def type_name(self) -> str:
        return "Object"

    def get(self, name: str) -> JToken | None:
        return next((one.value for one in self.properties if one.name == name), None)

    def set(self, name: str, content: Any) -> None:
        for one in self.properties:
            if one.name == name:
                one.replace(content)
                return
        self.properties.append(self.adopt(JProperty(name, content)))

    def select(self, path: str) -> list[JToken]:
        """Return `SelectTokens`, of paths that are names and `[*]` alone."""
        assert re.fullmatch(r"\w+(\[\*\])?(\.\w+(\[\*\])?)*", path), path
        found: list[JToken] = [self]
        for step in re.findall(r"\w+|\[\*\]", path):
            if step == "[*]":
                found = [item for one in found if isinstance(one, JArray) for item in one.items]
            else:
                inside = (one.get(step) for one in found if isinstance(one, JObject))
                found = [one for one in inside if one is not None]
        return found

    def written(self) -> str:
        return "{" + ",".join(one.written() for one in self.properties) + "}"

    def copy(self) -> JToken:
        return JObject(*(one.copy() for one in self.properties))

    def children(self) -> list[JToken]:
        return list(self.properties)


class JArray(JToken):
    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items: list[JToken] = []
        for item in items:
            self.add(item)

    @property
    def type_name(self) -> str:
        return "Array"

    def add(self, item: Any) -> None:
        self.items.append(self.adopt(token(item)))

    def written(self) -> str:
        return "[" + ",".join(item.written() for item in self.items) + "]"

    def copy(self) -> JToken:
        return JArray(item.copy() for item in self.items)

    def children(self) -> list[JToken]:
        return list(self.items)


def token(content: Any) -> JToken:
    """Return `content` as a token; a list becomes an array, as several contents do."""
    if isinstance(content, JToken):
        return content
    if isinstance(content, list):
        return JArray(content)
    assert content is None or isinstance(content, bool | int | float | str), f"no JSON type for {type(content)}"
    return JValue(content)


def parse_array(text: str) -> JArray:
    """Return `JArray.Parse`, of arrays that hold no text which looks like a date."""
    value = json.loads(text)
    assert isinstance(value, list)
    return JArray(_read(item) for item in value)


def parse_object(text: str) -> "JObject":
    """Return `JObject.Parse`, of objects that hold no text which looks like a date.

    Raises:
        ValueError: it is no JSON, or no object.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - as what is no JSON at all
    read = _read(value)
    assert isinstance(read, JObject)
    return read


def _read(value: Any) -> JToken:
    if isinstance(value, dict):
        return JObject(*(JProperty(name, _read(item)) for name, item in value.items()))
    return JArray(_read(item) for item in value) if isinstance(value, list) else JValue(value)


_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ESCAPED: dict[int, str] = {code: f"\\u{code:04x}" for code in (*range(32), 0x85, 0x2028, 0x2029)}
_ESCAPED |= {ord(letter): escape for letter, escape in _SHORT.items()}


def written_text(text: str) -> str:
    """Return a JSON string as its writer makes it: all letters but these as they are."""
    return '"' + text.translate(_ESCAPED) + '"'
