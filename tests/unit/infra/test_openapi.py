"""The operations that the gateway lets through: well described, and each told by the record for what it is."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.domain.interaction import OPERATIONS
from shared.operations.operation_names import operation_of_id
from shared.operations.targets import target_of
from tests.gateway.calls import a_call, a_gateway
from tests.gateway.policies import policy

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "infra" / "apim" / "azure-openai.openapi.json").read_text(encoding="utf-8")
)


class Operation(NamedTuple):
    """One line of the document."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.described["operationId"])

    @property
    def expected(self) -> str:
        """What the record must call it: the tag."""
        return str(self.described["tags"][0])


CALLS = [
    Operation(method, path, described)
    for path, item in DOCUMENT["paths"].items()
    for method, described in item.items()
    if method in ("get", "post", "put", "patch", "delete")
]
each = pytest.mark.parametrize("one", CALLS, ids=lambda one: one.id)
ABSENT = {
    "images.variations": "Azure OpenAI has no such path",
    "moderations": "Azure OpenAI has no such path: its filter is always on",
    "other": "no operation",
    "messages": "Anthropic's",
    "generateContent": "Gemini's",
    "converse": "Bedrock's",
    "invoke": "Bedrock's",
    "videos": "jobs that Azure OpenAI has in preview alone",
}
ANYWHERE = {
    "chat.completions",
    "completions",
    "embeddings",
    "images.generations",
    "images.edits",
    "audio.transcriptions",
    "audio.translations",
    "audio.speech",
}


def filled(path: str) -> str:
    """Return a URL as a caller sends it."""
    return "/openai" + re.sub(r"\{[\w-]+\}", "any-1", path) + "?api-version=2024-10-21"


def test_the_document_is_openapi_that_api_management_imports() -> None:
    assert DOCUMENT["openapi"] == "3.0.1"
    assert DOCUMENT["info"]["title"]
    assert DOCUMENT["info"]["version"]
    assert len(CALLS) > 190


def test_every_operation_id_is_there_once_even_as_api_management_may_write_it() -> None:
    ids = [re.sub(r"[^a-z0-9]+", "-", one.id.lower()) for one in CALLS]

    assert len(ids) == len(set(ids))
    assert all(0 < len(one.id) <= 76 for one in CALLS)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_parameter_of_a_path_is_described_and_no_other(path: str) -> None:
    told = [one["$ref"].removeprefix("#/components/parameters/") for one in DOCUMENT["paths"][path]["parameters"]]
    described = [DOCUMENT["components"]["parameters"][name] for name in told]

    assert [one["name"] for one in described if one["in"] == "path"] == re.findall(r"\{([\w-]+)\}", path)
    assert [one for one in described if one["in"] == "query"] == [
        {"name": "api-version", "in": "query", "required": False, "schema": {"type": "string"}}
    ]
    assert path.startswith("/")
    assert all(one["required"] for one in described if one["in"] == "path")


@each
def test_an_operation_says_what_it_is(one: Operation) -> None:
    assert set(one.described) == {"operationId", "tags", "summary", "responses"}
    assert one.described["summary"]
    assert one.expected in OPERATIONS


def test_every_operation_of_the_data_plane_is_there() -> None:
    told = {one.expected for one in CALLS}

    assert told | set(ABSENT) == set(OPERATIONS)
    assert not told & set(ABSENT)


@each
def test_the_record_tells_the_operation_by_its_path(one: Operation) -> None:
    target = target_of(filled(one.path))

    assert target.operation == one.expected
    assert target.deployment == ("any-1" if "{deployment-id}" in one.path else None)


@each
def test_the_record_tells_the_operation_by_its_id_too(one: Operation) -> None:
    """Some logs have no path."""
    assert operation_of_id(one.id) == one.expected


@each
def test_only_what_leaves_nothing_behind_leaves_the_primary_instance(one: Operation) -> None:
    gateway = a_gateway(named={"ownership": "off"})

    call = gateway.run(a_call(method=one.method.upper(), url=filled(one.path), template=one.path))

    (sent,) = call.forwarded
    anywhere = one.expected in ANYWHERE and one.method == "post" and "{completion_id}" not in one.path
    assert sent["backend"] == ("openai-pool" if anywhere else "openai-primary")


def test_the_name_of_the_deployment_is_the_one_that_the_policies_ask_for() -> None:
    values = [element.attrib.get("value", "") for element in policy("fragments/capture-request").iter()]

    assert "deployment-id" in DOCUMENT["components"]["parameters"]
    assert any('MatchedParameters["deployment-id"]' in value for value in values)
