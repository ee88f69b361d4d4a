"""The published description of the API."""

import json
import re
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from tests.tools.contract import CURRENT, document, rendered
from tests.unit.api.rows import Client

_DOCUMENT: Final[dict[str, Any]] = document()
_SCHEMAS: Final[dict[str, Any]] = _DOCUMENT["components"]["schemas"]
_OPERATIONS: Final = {
    f"{method.upper()} {path}": operation
    for path, methods in _DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def test_the_document_that_is_checked_in_is_what_the_routes_say(client: Client) -> None:
    served = client.get("/api/openapi.json").json()

    assert rendered(served) == CURRENT.read_text(encoding="utf-8"), "run make openapi"


@pytest.mark.parametrize("name", _OPERATIONS)
def test_the_document_describes_every_route_with_its_role_answer_and_problems(name: str) -> None:
    operation = _OPERATIONS[name]
    responses = operation["responses"]

    answers = responses["200"]["content"]
    assert set(answers) <= {"text/csv", "application/x-ndjson", "application/json"} or len(answers) == 1
    assert "$ref" in answers.get("application/json", {"schema": "$ref"})["schema"]
    assert {"400", "401", "403", "503"} <= set(responses)
    assert "422" not in responses
    assert set(responses["400"]["content"]) == {"application/problem+json"}
    assert operation["x-required-role"]
    assert operation["description"]


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for operation in _OPERATIONS.values()]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", _SCHEMAS)
def test_every_example_fits_its_schema(name: str) -> None:
    schema = {**_SCHEMAS[name], "components": {"schemas": _SCHEMAS}}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    assert _SCHEMAS[name]["examples"]
    assert [fault.message for example in schema["examples"] for fault in validator.iter_errors(example)] == []


def _bodies() -> dict[str, str]:
    """Return the operations that take a body -> the name of its schema."""
    return {
        name: operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for name, operation in _OPERATIONS.items()
        if "requestBody" in operation
    }


@pytest.mark.parametrize("name", _bodies())
def test_every_example_of_a_body_can_be_sent_as_it_is(client: Client, name: str) -> None:
    method, path = name.split()
    client.post("/api/v1/prices", json=_SCHEMAS["PricesToAdd"]["examples"][0])

    answer = client.send(method, re.sub(r"\{\w+\}", "1", path), json=_SCHEMAS[_bodies()[name]]["examples"][0])

    # Of what there is none, or for what it is too early, the state of things is to blame.
    assert answer.status_code in {200, 404, 409}, answer.text


def test_times_are_told_as_times() -> None:
    interaction = _SCHEMAS["Interaction"]["properties"]

    assert interaction["occurredAt"]["format"] == "date-time"
    assert {"type": "string", "format": "date-time"} in _SCHEMAS["FoundAmiss"]["properties"]["resolvedAt"]["anyOf"]


# Swagger UI


def test_the_page_loads_files_of_ours_alone(client: Client) -> None:
    page = client.get("/api/docs")

    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {"docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "docs/start.js", "openapi.json"} <= set(files)
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|https?://", page.text)
    for name in set(files) - {"data:,"}:
        assert client.get(f"/api/{name}").status_code == 200


def test_the_page_runs_no_script_but_those_files(client: Client) -> None:
    policy = client.get("/api/docs").headers["content-security-policy"]

    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["main.py", "..%2f__init__.py", "%2e%2e/__init__.py", "favicon-32x32.png"])
def test_the_page_has_no_other_files(client: Client, name: str) -> None:
    assert client.get(f"/api/docs/{name}").status_code == 404


def test_a_document_that_is_checked_in_is_json() -> None:
    assert json.loads(Path(CURRENT).read_text(encoding="utf-8"))["openapi"].startswith("3.1")
