"""The interface as OpenAPI: `python -m tests.tools.contract write | release | check`.

`docs/openapi.json` is what the routes say now. `docs/openapi.released.json` is what the last release says; a change
that a client of it would notice as a fault is a break. What is new and may be left out breaks nothing.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.api.app import create_app
from shared.api.openapi import openapi_of
from shared.settings import Settings

__all__ = ["CURRENT", "RELEASED", "breaks", "document", "faults", "rendered"]

_DOCS: Final = Path(__file__).parents[2] / "docs"
CURRENT: Final = _DOCS / "openapi.json"
RELEASED: Final = _DOCS / "openapi.released.json"

_Json = Mapping[str, Any]


def document() -> dict[str, Any]:
    """Return the document of the app as it is."""
    nothing: Any = None
    return openapi_of(create_app(nothing, Settings(database_url="sqlite://", auth="local", in_azure=False), nothing))


def rendered(made: _Json) -> str:
    """Return a document as it is checked in."""
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


class _Side(NamedTuple):
    """A schema, and the document that its references are into."""

    schema: _Json
    schemas: _Json

    def at(self, schema: _Json) -> "_Side":
        """Return another schema of the same document."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return _Side(schema, self.schemas)

    def kinds(self) -> dict[str, "_Side"]:
        """Return the types that a value may have; `any` where that is every one."""
        side = self.at(self.schema)
        # Formats to choose from are no types.
        if "type" not in side.schema and "anyOf" in side.schema:
            return {name: one for part in side.schema["anyOf"] for name, one in side.at(part).kinds().items()}
        kind = side.schema.get("type", "string" if "enum" in side.schema or "const" in side.schema else "any")
        return {kind: side}


def breaks(old: _Json, new: _Json) -> list[str]:
    """Return what clients of the document `old` would notice of `new`, a sentence each."""
    return list(_broken_paths(old, new))


def _broken_paths(old: _Json, new: _Json) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            where = f"{method.upper()} {path}"
            follower = new["paths"].get(path, {}).get(method)
            if follower is None:
                yield f"{where}: is gone"
                continue
            for name in ("operationId", "x-required-role"):
                if operation.get(name) != follower.get(name):
                    yield f"{where}: {name} was {operation.get(name)} and is {follower.get(name)}"
            both = (old["components"]["schemas"], new["components"]["schemas"])
            yield from _broken_parameters(where, operation, follower, both)
            yield from _broken_body(where, operation, follower, both)
            yield from _broken_answers(where, operation, follower, both)


def _broken_parameters(where: str, old: _Json, new: _Json, schemas: tuple[_Json, _Json]) -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in old.get("parameters", ())}
    after = {(one["in"], one["name"]): one for one in new.get("parameters", ())}
    for key, one in before.items():
        if key not in after:
            yield f"{where}: parameter {key[1]} is gone"
            continue
        if after[key].get("required") and not one.get("required"):
            yield f"{where}: parameter {key[1]} is required"
        sides = _Side(one["schema"], schemas[0]), _Side(after[key]["schema"], schemas[1])
        yield from _narrower(f"{where}: parameter {key[1]}", *sides, ())
    for key in after.keys() - before.keys():
        if after[key].get("required"):
            yield f"{where}: parameter {key[1]} is required"


def _broken_body(where: str, old: _Json, new: _Json, schemas: tuple[_Json, _Json]) -> Iterator[str]:
    if "requestBody" not in new:
        if "requestBody" in old:
            yield f"{where}: takes no body"
        return
    if "requestBody" not in old:
        if new["requestBody"].get("required"):
            yield f"{where}: needs a body"
        return
    for media, content in old["requestBody"]["content"].items():
        follower = new["requestBody"]["content"].get(media)
        if follower is None:
            yield f"{where}: takes no {media}"
        else:
            sides = _Side(content["schema"], schemas[0]), _Side(follower["schema"], schemas[1])
            yield from _narrower(f"{where}: body", *sides, ())


def _broken_answers(where: str, old: _Json, new: _Json, schemas: tuple[_Json, _Json]) -> Iterator[str]:
    for status, answer in old["responses"].items():
        for media, content in answer.get("content", {}).items():
            follower = new["responses"].get(status, {}).get("content", {}).get(media)
            if follower is None:
                yield f"{where}: no {media} with {status}"
            else:
                sides = _Side(content["schema"], schemas[0]), _Side(follower["schema"], schemas[1])
                yield from _wider(f"{where}: {status}", *sides, ())


def _narrower(where: str, old: _Side, new: _Side, seen: tuple[int, ...]) -> Iterator[str]:
    """Yield what `old` let a request hold and `new` does not."""
    after, place = new.kinds(), id(old.at(old.schema).schema)
    for kind, side in old.kinds().items():
        found = after.get("any") or after.get(kind) or (after.get("number") if kind == "integer" else None)
        if found is None:
            yield f"{where} takes no {kind}"
        elif place not in seen:
            yield from _narrower_kind(where, side, found, (*seen, place))


_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def _narrower_kind(where: str, old: _Side, new: _Side, seen: tuple[int, ...]) -> Iterator[str]:
    before, after = old.schema, new.schema
    yield from _tighter(where, before, after)
    followers = after.get("properties", {})
    for name in set(after.get("required", ())) - set(before.get("required", ())):
        yield f"{where}.{name} is required"
    for name, member in before.get("properties", {}).items():
        if name not in followers:
            yield f"{where}.{name} is gone"
        else:
            yield from _narrower(f"{where}.{name}", old.at(member), new.at(followers[name]), seen)
    if "items" in before and "items" in after:
        yield from _narrower(f"{where}[]", old.at(before["items"]), new.at(after["items"]), seen)


def _tighter(where: str, before: _Json, after: _Json) -> Iterator[str]:
    if "enum" in after and (lost := sorted(map(str, set(before.get("enum", ["anything"])) - set(after["enum"])))):
        yield f"{where} takes no {', '.join(lost)}"
    for name in ("pattern", "format"):
        if name in after and before.get(name) != after[name]:
            yield f"{where} has another {name}"
    for name in _LEAST:
        if name in after and before.get(name, float("-inf")) < after[name]:
            yield f"{where} has a larger {name}"
    for name in _MOST:
        if name in after and before.get(name, float("inf")) > after[name]:
            yield f"{where} has a smaller {name}"


def _wider(where: str, old: _Side, new: _Side, seen: tuple[int, ...]) -> Iterator[str]:
    """Yield what `old` promised of an answer and `new` does not; a new word of an enumeration is no such thing."""
    before, place = old.kinds(), id(old.at(old.schema).schema)
    for kind, side in new.kinds().items():
        found = before.get("any") or before.get(kind) or (before.get("number") if kind == "integer" else None)
        if found is None:
            yield f"{where} may be {kind}"
        elif place not in seen:
            yield from _wider_kind(where, found, side, (*seen, place))


def _wider_kind(where: str, old: _Side, new: _Side, seen: tuple[int, ...]) -> Iterator[str]:
    before, after = old.schema, new.schema
    if "enum" in before and "enum" not in after:
        yield f"{where} may be any word"
    followers = after.get("properties", {})
    for name in set(before.get("required", ())) - set(after.get("required", ())):
        if name in followers:
            yield f"{where}.{name} may be missing"
    for name, member in before.get("properties", {}).items():
        if name not in followers:
            yield f"{where}.{name} is gone"
        else:
            yield from _wider(f"{where}.{name}", old.at(member), new.at(followers[name]), seen)
    if "items" in before and "items" in after:
        yield from _wider(f"{where}[]", old.at(before["items"]), new.at(after["items"]), seen)


def faults() -> list[str]:
    """Return why the documents that are checked in cannot stay as they are."""
    current = document()
    found = breaks(json.loads(RELEASED.read_text(encoding="utf-8")), current)
    if CURRENT.read_text(encoding="utf-8") != rendered(current):
        found.append("docs/openapi.json is not what the routes say: run make openapi")
    return found


def main(arguments: list[str]) -> int:
    """Write the documents, or say what is wrong with them."""
    match arguments:
        case ["write"]:
            CURRENT.write_text(rendered(document()), encoding="utf-8")
        case ["release"]:
            RELEASED.write_text(rendered(document()), encoding="utf-8")
        case ["check"]:
            found = faults()
            sys.stderr.writelines(f"openapi: {fault}\n" for fault in found)
            return bool(found)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
