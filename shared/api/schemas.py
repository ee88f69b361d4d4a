"""What every schema of the OpenAPI document gets: the format of times, and an example made of those of its members."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.api.cost_parameters import MONTH

__all__ = ["complete_schemas"]

_Schema = dict[str, Any]

_TIME: Final = re.compile(r".*At|at|from|to|hour|until|validFrom|validTo|intervalStart|period(Start|End)")
"""How the members that hold a time are named."""
_MOMENT: Final = "2026-03-02T09:00:00.000Z"
_LATER: Final = "2026-04-01T00:00:00.000Z"
_ENDS: Final = {"to", "until", "validTo", "periodEnd"}
_BY_NAME: Final[Mapping[str, Any]] = {
    "amount": 1.25,
    "callerIp": "203.0.113.7",
    "costCentre": "4711",
    "currency": "USD",
    "deployment": "gpt-4o",
    "holder": "7c1f6a52-0d5a-4f6e-9f0e-2f6f0f1b2c3d",
    "httpStatus": 200,
    "hub": "gateway",
    "model": "gpt-4o",
    "month": "2026-03",
    "partition": "0",
    "path": "/openai/deployments/gpt-4o/chat/completions",
    "priceVersion": "7",
    "q": "project aurora",
    "status": 400,
    "subscriptionId": "sub-7",
    "team": "Search",
    "thresholds": [80, 100],
    "type": "urn:promptledger:problem:invalid-parameter",
    "userId": "7c1f6a52-0d5a-4f6e-9f0e-2f6f0f1b2c3d",
    "vendor": "openai",
}
_BY_PATTERN: Final[Mapping[str, str]] = {
    MONTH: "2026-03",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "2026-03-02",
    r"^[A-Z]{3}$": "USD",
}


def complete_schemas(schemas: dict[str, _Schema]) -> None:
    """Add formats and examples to `schemas`, by name, wherever a model says none itself."""
    for schema in schemas.values():
        for name, member in schema.get("properties", {}).items():
            if _TIME.fullmatch(name):
                _format_time(member)
    for schema in schemas.values():
        if "examples" not in schema:
            schema["examples"] = [_example("", schema, schemas)]


def _format_time(member: _Schema) -> None:
    for kind in (member, *member.get("anyOf", ())):
        if kind.get("type") == "string" and not {"pattern", "format", "anyOf"} & kind.keys():
            kind["format"] = "date-time"


def _example(name: str, schema: _Schema, schemas: Mapping[str, _Schema]) -> Any:  # noqa: ANN401  # any JSON value
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    given = (schema.get(word) for word in ("examples", "enum"))
    stated = [one[0] for one in given if one] + [schema[word] for word in ("const", "default") if word in schema]
    stated = [one for one in stated if one is not None]
    if stated:
        return stated[0]
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type", "string") != "null"]
    if kinds and "type" not in schema:
        return _example(name, kinds[0], schemas)
    make = _BY_TYPE.get(schema.get("type", ""))
    return None if make is None else make(name, schema, schemas)


def _object(_name: str, schema: _Schema, schemas: Mapping[str, _Schema]) -> Any:  # noqa: ANN401  # any JSON value
    members = schema.get("properties", {})
    return {one: _example(one, members[one], schemas) for one in schema.get("required", ())}


def _array(name: str, schema: _Schema, schemas: Mapping[str, _Schema]) -> Any:  # noqa: ANN401  # any JSON value
    return _BY_NAME.get(name) or [_example(name, schema["items"], schemas)]


def _number(name: str, schema: _Schema, _schemas: Mapping[str, _Schema]) -> Any:  # noqa: ANN401  # any JSON value
    given = _BY_NAME.get(name, schema.get("minimum", 1))
    return int(given) if schema["type"] == "integer" else given


def _text(name: str, schema: _Schema, _schemas: Mapping[str, _Schema]) -> Any:  # noqa: ANN401  # any JSON value
    if schema.get("pattern") in _BY_PATTERN:
        return _BY_PATTERN[schema["pattern"]]
    if schema.get("format") == "date-time" or _TIME.fullmatch(name):
        return _LATER if name in _ENDS else _MOMENT
    return str(_BY_NAME.get(name, "call-1" if name == "id" else name or "text"))


_BY_TYPE: Final[Mapping[str, Callable[[str, _Schema, Mapping[str, _Schema]], Any]]] = {
    "array": _array,
    "boolean": lambda _name, _schema, _schemas: False,
    "integer": _number,
    "number": _number,
    "object": _object,
    "string": _text,
}
