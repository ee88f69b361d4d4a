"""Writes the client's operations and models from docs/openapi.json: `python clients/python/generate.py [--check]`."""

import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["generated"]

_HERE: Final = Path(__file__).resolve().parent
_ROOT: Final = _HERE.parents[1]
_PACKAGE: Final = _HERE / "src" / "promptledger_client"
_DOCUMENT: Final = _ROOT / "docs" / "openapi.json"

_Json = Mapping[str, Any]
_TYPES: Final = {"string": "str", "integer": "int", "number": "Decimal", "boolean": "bool", "null": "None"}


def generated() -> dict[Path, str]:
    """Return each generated file and what it holds."""
    document = json.loads(_DOCUMENT.read_text(encoding="utf-8"))
    made = {
        _PACKAGE / "models.py": "\n".join(_models(document["components"]["schemas"])),
        _PACKAGE / "operations.py": "\n".join(_operations(document)),
    }
    return {path: _formatted(path, text) for path, text in made.items()}


def _formatted(path: Path, text: str) -> str:
    ruff = [str(Path(sys.executable).parent / "ruff")]
    for command in (["check", "--quiet", "--fix-only", "--select", "I,F401"], ["format", "--quiet"]):
        done = subprocess.run(  # noqa: S603  # the formatter of the environment that runs this
            [*ruff, *command, "--stdin-filename", str(path), "-"],
            input=text, capture_output=True, text=True, check=True, cwd=_ROOT,
        )  # fmt: skip
        text = done.stdout
    return text


def _models(schemas: _Json) -> Iterator[str]:
    yield '"""The shapes of requests and answers, as the OpenAPI document has them. Written by generate.py."""\n'
    yield "from decimal import Decimal\nfrom typing import Any, Literal, NotRequired, TypedDict\n"
    names = sorted(_name(name) for name in schemas)
    yield "__all__ = [" + ", ".join(f'"{name}"' for name in names) + "]\n"
    for name, schema in sorted(schemas.items(), key=lambda item: ("properties" in item[1], _name(item[0]))):
        if "properties" not in schema:
            yield f"{_name(name)} = {_type(schema)}\n"
            continue
        members = {one: _member(one, member, schema) for one, member in schema["properties"].items()}
        text = _sentence(schema, f"A {_name(name)}.")
        if any(keyword.iskeyword(one) for one in members):
            listed = ", ".join(f'"{one}": {kind}' for one, kind in members.items())
            yield f'{_name(name)} = TypedDict("{_name(name)}", {{{listed}}})\n"""{text}"""\n\n'
        else:
            yield f'class {_name(name)}(TypedDict):\n    """{text}"""\n'
            yield "".join(f"\n    {one}: {kind}" for one, kind in members.items()) + "\n\n"


def _member(name: str, member: _Json, schema: _Json) -> str:
    kind = _type(member, quoted=True)
    return kind if name in schema.get("required", ()) else f"NotRequired[{kind}]"


def _operations(document: _Json) -> Iterator[str]:
    yield '"""One method for each operation of the OpenAPI document. Written by generate.py."""\n'
    yield "from collections.abc import Iterator\nfrom decimal import Decimal\nfrom typing import Any, Literal\n"
    names = ", ".join(sorted(_name(name) for name in document["components"]["schemas"]))
    yield f"from promptledger_client.models import {names}"
    yield "from promptledger_client.transport import TextAnswer, Transport, id_in_path, part_of_path\n"
    yield '__all__ = ["Operations"]\n\n'
    yield 'class Operations(Transport):\n    """What can be asked of the audit API."""\n'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method.upper(), operation, document["components"]["schemas"])


def _operation(path: str, method: str, operation: _Json, schemas: _Json) -> Iterator[str]:
    parameters = [one for one in operation.get("parameters", ()) if one["in"] in {"path", "query"}]
    address = path
    for one in parameters:
        if one["in"] == "path":
            written = "id_in_path" if one["schema"].get("x-base64url") else "part_of_path"
            address = address.replace(f"{{{one['name']}}}", f"{{{written}({_argument(one['name'])})}}")
    signature = [
        f"{_argument(one['name'])}: {_type(one['schema'])}"
        for one in sorted(parameters, key=lambda one: one["in"] != "path")
        if one.get("required")
    ]
    body = operation.get("requestBody")
    body_type = _type(body["content"]["application/json"]["schema"]) if body else ""
    if body:
        signature.append(f"body: {body_type}")
    optional = [one for one in parameters if not one.get("required")]
    if optional:
        signature.append("*")
        signature += [f"{_argument(one['name'])}: {_optional(_type(one['schema']))} = None" for one in optional]
    query = ", ".join(f'"{one["name"]}": {_argument(one["name"])}' for one in parameters if one["in"] == "query")
    rest = [f'"{method}"', f'f"{address}"' if "{" in address else f'"{address}"', f"{{{query}}}"]
    name, said = operation["operationId"], _sentence(operation, operation["operationId"])
    content = operation["responses"]["200"]["content"]
    # Lines of JSON say no more than JSON does, and a body goes with JSON alone.
    passed = {"application/json", "application/x-ndjson", *(content if body else ())}
    for media_type in sorted(content.keys() - passed):
        other = f"{name}_as_csv" if "application/json" in content else name
        kind, way = ("TextAnswer", "_text") if media_type.startswith("text/") else ("bytes", "_bytes")
        yield _method(other, signature, kind, said, f'return self.{way}({", ".join(rest)}, "{media_type}")')
    if "application/json" not in content:
        return
    schema = content["application/json"]["schema"]
    answer = _type(schema)
    yield _method(
        name,
        signature,
        answer,
        said,
        f"answer: {answer} = self._json({', '.join([*rest, *['body'] * bool(body)])})\n        return answer",
    )
    item = _item(schema, schemas)
    is_paged = any(one["name"] == "cursor" and "str" in _type(one["schema"]) for one in parameters) or (
        body
        and "cursor" in schemas[body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]["properties"]
    )
    if item and is_paged:
        yield _pages(name, signature, parameters, item, said, has_body=bool(body))


def _pages(name: str, signature: list[str], parameters: list[_Json], item: str, said: str, *, has_body: bool) -> str:
    """Return the method that goes through all pages of a list."""
    given = [_argument(one["name"]) for one in parameters if one["in"] == "path"] + ["body"] * has_body
    named = [_argument(one["name"]) for one in parameters if one["in"] == "query"]
    if has_body:
        following = "{**body, **({} if cursor is None else {'cursor': cursor})}"
        call = ", ".join([following if one == "body" else one for one in given] + [f"{one}={one}" for one in named])
    else:
        call = ", ".join(given + [f"{one}={one}" for one in named])
    kept = [one for one in signature if not one.startswith("cursor:")]
    iterator = "iter_" + name.removeprefix("list_").removeprefix("read_")
    ignored = "  # type: ignore[typeddict-item]  # a body and its cursor" if has_body else ""
    ask = f"def ask(cursor: str | None) -> Any:\n            return self.{name}({call}){ignored}\n"
    ask += "\n        yield from self._every(ask)"
    return _method(iterator, kept, f"Iterator[{item}]", f"{said} Goes through all pages.", ask)


def _method(name: str, signature: list[str], answer: str, text: str, code: str) -> str:
    # Lists of arguments that end in a bare star have lost what stood behind it.
    arguments = ", ".join(["self", *(signature[:-1] if signature[-1:] == ["*"] else signature)])
    return f'    def {name}({arguments}) -> {answer}:\n        """{text}"""\n        {code}\n'


def _item(schema: _Json, schemas: _Json) -> str | None:
    """Return the type of the items of a page; None of an answer that is none."""
    shape = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    members = shape.get("properties", {})
    return _type(members["items"]["items"]) if {"items", "nextCursor"} <= members.keys() else None


def _type(schema: _Json, *, quoted: bool = False) -> str:  # noqa: PLR0911  # a case of JSON Schema each
    if "$ref" in schema:
        name = _name(schema["$ref"].rpartition("/")[2])
        return f'"{name}"' if quoted else name
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(repr(one) for one in schema.get('enum', [schema.get('const')]))}]"
    if "anyOf" in schema and "type" not in schema:
        kinds = list(dict.fromkeys(_type(one, quoted=quoted) for one in schema["anyOf"]))
        # A forward reference cannot stand in a union of its own.
        joined = " | ".join(kind.strip('"') for kind in kinds)
        return f'"{joined}"' if any(kind.startswith('"') for kind in kinds) else joined
    match schema.get("type"):
        case "array":
            return f"list[{_type(schema.get('items', {}), quoted=quoted)}]"
        case "object":
            return "dict[str, Any]"
        case str() as kind:
            return _TYPES[kind]
        case _:
            return "Any"


def _optional(kind: str) -> str:
    return kind if kind.endswith("None") else f"{kind} | None"


def _name(schema: str) -> str:
    """Return a schema's name as Python has it: `Page_Price_` -> `PageOfPrice`."""
    generic = re.fullmatch(r"(\w+?)_(\w+)_", schema)
    return f"{generic[1]}Of{generic[2]}" if generic else schema.lstrip("_")


def _argument(name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower().replace(".", "_").replace("-", "_")
    return f"{snake}_" if keyword.iskeyword(snake) else snake


def _sentence(described: _Json, other: str) -> str:
    text = (described.get("description") or other).strip().splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def main(arguments: list[str]) -> int:
    """Write the files, or say which are stale."""
    made = generated()
    if arguments == ["--check"]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        sys.stderr.writelines(f"{path.relative_to(_ROOT)} is stale: run make openapi\n" for path in stale)
        return bool(stale)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
