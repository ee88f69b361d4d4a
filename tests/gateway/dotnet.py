"""The part of .NET that the policies use, member by member: whoever asks for another gets an error.

Values of C# are values of Python: `string` is str (with the length of UTF-16), `byte[]` is bytes, arrays and
sequences are lists, `int` and `long` are int, `double` is float.
"""

import base64
import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.gateway.newtonsoft import JArray, JObject, JProperty, JToken, JValue, parse_array, parse_object, written_text

__all__ = ["CLASSES", "MEMBERS", "STATIC_MEMBERS", "CSharpError", "Members", "ReadOnly", "cast", "get", "has_member"]


class CSharpError(Exception):
    """What .NET would throw."""


@dataclass(frozen=True)
class KeyValuePair:
    key: str
    value: Any


class ReadOnly:
    """An IReadOnlyDictionary; of headers and queries, with keys in any case."""

    def __init__(self, items: Mapping[str, Any], *, any_case: bool = False) -> None:
        self.items = dict(items)
        self._keys = {key.lower() if any_case else key: key for key in items}
        self._any_case = any_case

    def has(self, key: str) -> bool:
        return (key.lower() if self._any_case else key) in self._keys

    def at(self, key: str) -> Any:
        if not self.has(key):
            raise CSharpError(f"KeyNotFoundException: {key}")
        return self.items[self._keys[key.lower() if self._any_case else key]]


class HashAlgorithm:
    """SHA256Managed."""


@dataclass(frozen=True)
class Members:
    """What may be asked of a value of one type."""

    name: str
    properties: Mapping[str, Callable[[Any], Any]]
    methods: Mapping[str, Callable[..., Any]]


def units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _substring(text: str, start: int, length: int | None = None) -> str:
    whole = len(units(text)) // 2
    end = whole if length is None else start + length
    if not 0 <= start <= end <= whole:
        raise CSharpError(f"ArgumentOutOfRangeException: Substring({start}, {length}) of {whole}")
    return units(text)[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


def _lower(text: str) -> str:
    # Letter by letter: to Python some become two.
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _compared(text: str, other: str, comparison: str) -> tuple[str, str]:
    # Without a comparison .NET asks the culture: the policies always say which.
    assert comparison in ("StringComparison.Ordinal", "StringComparison.OrdinalIgnoreCase")
    return (text.lower(), other.lower()) if comparison.endswith("IgnoreCase") else (text, other)


def _starts(text: str, other: str, comparison: str) -> bool:
    text, other = _compared(text, other, comparison)
    return text.startswith(other)


def _ends(text: str, other: str, comparison: str) -> bool:
    text, other = _compared(text, other, comparison)
    return text.endswith(other)


def _index(text: str, other: str, comparison: str) -> int:
    text, other = _compared(text, other, comparison)
    return text.find(other)


def _last_index(text: str, other: str, comparison: str) -> int:
    text, other = _compared(text, other, comparison)
    return text.rfind(other)


def _get_bytes(text: str) -> bytes:
    return units(text).decode("utf-16-le", "replace").encode()


def _formatted(moment: datetime, pattern: str) -> str:
    """Return `ToString(pattern)` for patterns that no culture changes."""
    fields = {"yyyy": f"{moment.year:04}", "MM": f"{moment.month:02}", "dd": f"{moment.day:02}"}
    fields |= {"HH": f"{moment.hour:02}", "mm": f"{moment.minute:02}", "ss": f"{moment.second:02}"}
    fields["fff"] = f"{moment.microsecond // 1000:03}"
    result = ""
    while pattern:
        name = next((name for name in fields if pattern.startswith(name)), None)
        if name is not None:
            result, pattern = result + fields[name], pattern[len(name) :]
        elif pattern[0] == "\\":
            result, pattern = result + pattern[1], pattern[2:]
        else:
            assert pattern[0] in "-.TZ", f"a culture may change {pattern[0]!r}"
            result, pattern = result + pattern[0], pattern[1:]
    return result


def _text_of(value: Any) -> str:
    return "" if value is None else str(value)


def _value_or_default(items: ReadOnly, key: str, default: Any) -> Any:
    """Return the extension for headers, queries and claims: several values are joined by commas, none is null."""
    if not items.has(key):
        return default
    values = items.at(key)
    return None if values is None else _joined(",", values)


def _descendants(told: JToken) -> list[JToken]:
    return list(told.descendants())


def _of_type(items: list[Any], *, generic: str) -> list[Any]:
    return [item for item in items if isinstance(item, {"JProperty": JProperty}[generic])]


def _flattened(items: list[Any], chosen: Callable[[Any], list[Any]]) -> list[Any]:
    return [inner for item in items for inner in chosen(item)]


def _total(items: list[Any], chosen: Callable[[Any], int]) -> int:
    return sum(chosen(item) for item in items)


def _where(items: list[Any], holds: Callable[..., bool]) -> list[Any]:
    """Return `Where`, whose condition may ask for the index, too."""
    if holds.__code__.co_argcount == 1:
        return [item for item in items if holds(item)]
    return [item for index, item in enumerate(items) if holds(item, index)]


_SEQUENCE: Mapping[str, Callable[..., Any]] = {
    "Where": _where,
    "Concat": lambda items, others: [*items, *others],
    "Distinct": lambda items: list(dict.fromkeys(items)),
    "Select": lambda items, chosen: [chosen(item) for item in items],
    "SelectMany": _flattened,
    "Take": lambda items, count: items[:count],
    "Any": lambda items, holds: any(holds(item) for item in items),
    "Contains": lambda items, value: value in items,
    "Reverse": lambda items: items[::-1],
    "ToList": list,
    "OfType": _of_type,
    "Sum": _total,
}
_TOKEN_METHODS: Mapping[str, Callable[..., Any]] = {
    "ToString": lambda told, _: told.written(),
    "Descendants": _descendants,
}
_TOKEN = {
    "Type": lambda told: f"JTokenType.{told.type_name}",
    "HasValues": lambda told: bool(told.children()),
}

MEMBERS: dict[type, Members] = {
    str: Members(
        "System.String",
        {"Length": lambda text: len(units(text)) // 2},
        {
            "Trim": str.strip,
            "TrimEnd": lambda text, letter: text.rstrip(letter),
            "ToLowerInvariant": _lower,
            "StartsWith": _starts,
            "EndsWith": _ends,
            "IndexOf": _index,
            "LastIndexOf": _last_index,
            "Contains": lambda text, other: other in text,
            "Replace": lambda text, old, new: text.replace(old, new),
            "Substring": _substring,
        },
    ),
    bytes: Members("System.Array", {"Length": len}, {"SequenceEqual": lambda one, other: one == other}),
    list: Members("System.Linq.Enumerable", {"Length": len}, _SEQUENCE),
    KeyValuePair: Members(
        "System.Collections.Generic.KeyValuePair",
        {"Key": lambda pair: pair.key, "Value": lambda pair: pair.value},
        {},
    ),
    ReadOnly: Members(
        "System.Collections.Generic.IReadOnlyDictionary",
        {},
        {"ContainsKey": ReadOnly.has, "GetValueOrDefault": _value_or_default},
    ),
    timedelta: Members("System.TimeSpan", {"TotalMilliseconds": lambda span: span / timedelta(milliseconds=1)}, {}),
    datetime: Members("System.DateTime", {}, {"Subtract": lambda moment, span: moment - span, "ToString": _formatted}),
    HashAlgorithm: Members(
        "System.Security.Cryptography.SHA256Managed",
        {},
        {"ComputeHash": lambda _, data: hashlib.sha256(data).digest()},
    ),
    JValue: Members("Newtonsoft.Json.Linq.JValue", _TOKEN, _TOKEN_METHODS),
    JProperty: Members(
        "Newtonsoft.Json.Linq.JProperty",
        {"Name": lambda told: told.name, "Value": lambda told: told.value},
        {"Remove": JProperty.remove},
    ),
    JObject: Members(
        "Newtonsoft.Json.Linq.JObject",
        _TOKEN,
        {**_TOKEN_METHODS, "SelectTokens": JObject.select},
    ),
    JArray: Members(
        "Newtonsoft.Json.Linq.JArray",
        {**_TOKEN, "Count": lambda told: len(told.items)},
        {**_TOKEN_METHODS, "Add": JArray.add},
    ),
}
# .NET's sequences are of any of these.
_SEQUENCES: dict[type, Callable[[Any], list[Any]]] = {
    ReadOnly: lambda items: [KeyValuePair(key, value) for key, value in items.items.items()],
    JArray: lambda told: list(told.items),
}


def has_member(kind: type, name: str) -> bool:
    known = MEMBERS[kind]
    return name in known.properties or name in known.methods or (kind in _SEQUENCES and name in _SEQUENCE)


def get(value: Any, name: str) -> Any:
    """Return a property's value, or a method that waits for its arguments."""
    if value is None:
        raise CSharpError(f"NullReferenceException: {name} of null")
    known = MEMBERS.get(type(value))
    if known is None:
        raise CSharpError(f"{type(value).__name__} is no type that policies may use")
    if name in known.properties:
        return known.properties[name](value)
    if name in known.methods:
        method = known.methods[name]
        return lambda *arguments, **named: method(value, *arguments, **named)
    sequence = _SEQUENCES.get(type(value))
    if sequence is not None and name in _SEQUENCE:
        method, items = _SEQUENCE[name], sequence(value)
        return lambda *arguments, **named: method(items, *arguments, **named)
    raise CSharpError(f"{known.name} has no {name}")


def iterated(value: Any) -> list[Any]:
    """Return what `foreach` goes through."""
    if isinstance(value, list):
        return value
    return _SEQUENCES[type(value)](value)


def cast(kind: str, value: Any) -> Any:
    """Return `(kind)value`: of a token its value, of an object what it must be already."""
    if isinstance(value, JValue):
        value = value.value
    wanted = {"string": str, "long": int, "bool": bool}.get(kind)
    if kind == "long" and type(value) is float:
        return int(value)
    if wanted is None:  # An interface or a class of the gateway: the engine hands out no other.
        return value
    if value is None and wanted is str:
        return None
    if type(value) is not wanted:
        raise CSharpError(f"InvalidCastException: {type(value).__name__} to {kind}")
    return value


def _try_parse_long(text: str | None) -> tuple[bool, int]:
    """Return what TryParse does, and its out parameter."""
    plain = (text or "").strip()
    if not (plain.lstrip("+-").isascii() and plain.lstrip("+-").isdigit()):
        return False, 0
    value = int(plain)
    return (True, value) if -(2**63) <= value < 2**63 else (False, 0)


def _joined(separator: str, items: Iterable[str | None] | None) -> str:
    if items is None:
        raise CSharpError("ArgumentNullException: values")
    return separator.join(_text_of(item) for item in items)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise CSharpError("FormatException: no base64") from None


def _to_integer(value: Any) -> int:
    # A number in a variable may be its text: the reference says that literals become strings.
    assert type(value) in (int, str)
    return int(value)


def _url_encoded(text: str | None) -> str | None:
    if text is None:
        return None
    return urllib.parse.quote_plus(_get_bytes(text), safe="!*()").replace("~", "%7E")


def _parsed_object(text: str) -> JObject:
    try:
        return parse_object(text)
    except ValueError:
        raise CSharpError("JsonReaderException: no object") from None


def _minimum(one: int, other: int) -> int:
    return min(one, other)


STATIC_MEMBERS: dict[str, Mapping[str, Any]] = {
    "string": {"Join": _joined},
    "long": {"TryParse": _try_parse_long},
    "Convert": {
        "ToBase64String": lambda data: base64.b64encode(data).decode(),
        "FromBase64String": _from_base64,
        "ToInt32": _to_integer,
        "ToInt64": _to_integer,
    },
    "Encoding": {"UTF8": "Encoding.UTF8"},
    "Encoding.UTF8": {
        "GetString": lambda data: data.decode("utf-8", "replace"),
        "GetBytes": _get_bytes,
        "GetByteCount": lambda text: len(_get_bytes(text)),
    },
    "JsonConvert": {"SerializeObject": written_text},
    "JArray": {"Parse": parse_array},
    "JObject": {"Parse": _parsed_object},
    "Math": {"Round": lambda value: float(round(value)), "Min": _minimum},
    "BitConverter": {"ToString": lambda data: data.hex("-").upper()},
    # Of patterns that mean the same to Python: no named groups, no \\d, no \\w.
    "Regex": {
        "IsMatch": lambda text, pattern: re.search(pattern, text) is not None,
        "Split": lambda text, pattern: re.split(pattern, text),
        "Replace": lambda text, pattern, new: re.sub(pattern, new.replace("$", "\\"), text),
    },
    "System.Net.WebUtility": {"UrlEncode": _url_encoded},
    "Newtonsoft.Json.Formatting": {"None": "Formatting.None"},
    "StringComparison": {
        "Ordinal": "StringComparison.Ordinal",
        "OrdinalIgnoreCase": "StringComparison.OrdinalIgnoreCase",
    },
    "JTokenType": {"String": "JTokenType.String", "Null": "JTokenType.Null", "Object": "JTokenType.Object"},
}
"""Static members by type; `DateTime.UtcNow` is the engine's."""


def _new_array(content: Any = ()) -> JArray:
    return JArray(content)


CLASSES: dict[str, Callable[..., Any]] = {
    "JObject": JObject,
    "JProperty": JProperty,
    "JArray": _new_array,
    "System.Security.Cryptography.SHA256Managed": HashAlgorithm,
}
