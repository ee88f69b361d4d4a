"""What breaks a client of the released interface is found; what is only new is not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.contract import breaks, faults

_Document = dict[str, Any]


def a_document() -> _Document:
    """Return a document of one list and one act, with every kind of schema that ours has."""
    item = {
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": {"type": "string"},
            "state": {"$ref": "#/components/schemas/State"},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
        },
    }
    body = {
        "type": "object",
        "required": ["reason"],
        "properties": {
            "reason": {"type": "string", "maxLength": 10, "minLength": 1},
            "state": {"$ref": "#/components/schemas/State"},
        },
    }
    parameters = [
        {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
        {"in": "query", "name": "state", "schema": {"$ref": "#/components/schemas/State"}},
    ]
    answer = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}
    return {
        "paths": {
            "/items": {
                "get": {
                    "operationId": "list_items",
                    "x-required-role": "Audit.Read",
                    "parameters": parameters,
                    "responses": answer,
                },
                "post": {
                    "operationId": "add_item",
                    "x-required-role": "Audit.Admin",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}},
                    },
                    "responses": copy.deepcopy(answer),
                },
            }
        },
        "components": {
            "schemas": {"Item": item, "Body": body, "State": {"type": "string", "enum": ["open", "closed"]}}
        },
    }


def changed(change: Callable[[_Document], Any]) -> list[str]:
    new = a_document()
    change(new)
    return breaks(a_document(), new)


def get(document: _Document) -> Any:
    return document["paths"]["/items"]["get"]


def schema(document: _Document, name: str) -> Any:
    return document["components"]["schemas"][name]


def test_a_document_breaks_nothing_of_itself() -> None:
    assert breaks(a_document(), a_document()) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda new: new["paths"].pop("/items"), "GET /items: is gone"),
        (lambda new: new["paths"]["/items"].pop("post"), "POST /items: is gone"),
        (lambda new: get(new).update(operationId="items"), "operationId was list_items"),
        (lambda new: get(new).update({"x-required-role": "Audit.Admin"}), "x-required-role was Audit.Read"),
        (lambda new: get(new)["parameters"].pop(), "parameter state is gone"),
        (lambda new: get(new)["parameters"][0].update(required=True), "parameter limit is required"),
        (
            lambda new: get(new)["parameters"].append(
                {"in": "query", "name": "colour", "required": True, "schema": {"type": "string"}}
            ),
            "parameter colour is required",
        ),
        (lambda new: get(new)["parameters"][0]["schema"].update(maximum=100), "smaller maximum"),
        (lambda new: get(new)["parameters"][0]["schema"].update(minimum=2), "larger minimum"),
        (lambda new: get(new)["parameters"][0]["schema"].update(type="boolean"), "takes no integer"),
        (lambda new: schema(new, "State")["enum"].remove("closed"), "parameter state takes no closed"),
        (lambda new: new["paths"]["/items"]["post"].pop("requestBody"), "takes no body"),
        (lambda new: get(new).update(requestBody={"required": True, "content": {}}), "needs a body"),
        (
            lambda new: new["paths"]["/items"]["post"]["requestBody"]["content"].update(
                {"text/csv": new["paths"]["/items"]["post"]["requestBody"]["content"].pop("application/json")}
            ),
            "takes no application/json",
        ),
        (lambda new: schema(new, "Body")["required"].append("state"), "body.state is required"),
        (lambda new: schema(new, "Body")["properties"].pop("reason"), "body.reason is gone"),
        (lambda new: schema(new, "Body")["properties"]["reason"].update(maxLength=9), "body.reason has a smaller"),
        (
            lambda new: schema(new, "Body")["properties"]["reason"].update(pattern="^x"),
            "body.reason has another pattern",
        ),
        (lambda new: get(new)["responses"].pop("200"), "no application/json with 200"),
        (lambda new: schema(new, "Item")["properties"].pop("size"), "200.size is gone"),
        (lambda new: schema(new, "Item")["required"].remove("id"), "200.id may be missing"),
        (lambda new: schema(new, "Item")["properties"].update(id={"type": "integer"}), "200.id may be integer"),
        (
            lambda new: schema(new, "Item")["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
            "200.id may be null",
        ),
        (lambda new: schema(new, "Item")["properties"].update(state={"type": "string"}), "200.state may be any word"),
        (
            lambda new: schema(new, "Item")["properties"]["parts"].update(items={"type": "string"}),
            "200.parts[] may be string",
        ),
    ],
)
def test_a_change_that_a_client_would_notice_is_found(change: Callable[[_Document], Any], found: str) -> None:
    assert any(found in one for one in changed(change)), changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["paths"].update({"/others": new["paths"]["/items"]}),
        lambda new: get(new)["parameters"].append({"in": "query", "name": "colour", "schema": {"type": "string"}}),
        lambda new: get(new)["parameters"][0]["schema"].update(maximum=2000),
        lambda new: get(new)["parameters"][0]["schema"].update(type="number"),
        lambda new: schema(new, "State")["enum"].append("lost"),
        lambda new: schema(new, "Body")["properties"].update(colour={"type": "string"}),
        lambda new: schema(new, "Body").update(required=[]),
        lambda new: schema(new, "Body")["properties"]["reason"].update(maxLength=20),
        lambda new: schema(new, "Item")["properties"].update(colour={"type": "string"}),
        lambda new: schema(new, "Item")["required"].append("size"),
        lambda new: schema(new, "Item")["properties"].update(size={"type": "integer"}),
    ],
)
def test_what_is_only_new_breaks_nothing(change: Callable[[_Document], Any]) -> None:
    assert changed(change) == []


def test_the_routes_keep_what_the_last_release_said() -> None:
    assert faults() == []
