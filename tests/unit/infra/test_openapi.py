"""The operations that the gateway lets through: well described, and each told by the record for what it is."""

import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.domain.interaction import OPERATIONS
from shared.operations.operation_names import operation_of_id
from shared.operations.targets import target_of
from tests.gateway.calls import a_call, a_gateway
from tests.gateway.policies import policy
from tests.unit.infra.templates import template

ROOT = Path(__file__).parents[3]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "infra" / "apim" / "azure-openai.openapi.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "capture.md").read_text("utf-8").partition("## Which operations\n")[2].partition("\n## ")[0]
MODULE = ROOT / "infra" / "modules" / "apim-openai-api.bicep"


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


# What is left out


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_all_methods_of_a_path_are_one_operation(path: str) -> None:
    """The template leaves out whole paths, by the tag of the first of these."""
    item = {method: told for method, told in DOCUMENT["paths"][path].items() if method != "parameters"}

    assert set(item) & {"post", "get", "delete"}
    assert len({one["tags"][0] for one in item.values()}) == 1


def test_the_operations_that_may_be_left_out_are_those_of_the_document() -> None:
    (left_out,) = [one for one in template(MODULE).all("param") if one.name == "operationsLeftOut"]

    assert re.findall(r"'([\w.]+)'", left_out.decorators["allowed"]) == sorted({one.expected for one in CALLS})


def test_the_page_counts_the_operations_of_the_document() -> None:
    rows = {name: int(number) for name, number in re.findall(r"^\| `([\w.]+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    left_out = re.findall(r"^      '([\w.]+)'$", PAGE, re.MULTILINE)

    assert rows == dict(Counter(one.expected for one in CALLS))
    assert f"has {len(CALLS)} operations" in PAGE
    assert f"This leaves {len(CALLS) - sum(rows[name] for name in left_out)}." in PAGE


@pytest.mark.slow
@pytest.mark.parametrize(
    "left_out", [(), ("assistants",), tuple(sorted({one.expected for one in CALLS} - {"chat.completions"}))]
)
def test_the_api_is_made_without_the_operations_that_are_left_out(left_out: tuple[str, ...], tmp_path: Path) -> None:
    bicep = subprocess.run([ROOT / ".ci" / "find-bicep"], capture_output=True, text=True, check=False)
    if bicep.returncode:
        pytest.skip(bicep.stderr.strip())
    names = "\n".join(f"  '{name}'" for name in left_out)
    (tmp_path / "some.bicepparam").write_text(
        f"using '{os.path.relpath(MODULE, tmp_path)}'\nparam serviceName = 'some'\nparam monitorLoggerId = 'some'\n"
        f"param operationsLeftOut = [\n{names}\n]\n"
    )

    subprocess.run([bicep.stdout.strip(), "snapshot", tmp_path / "some.bicepparam", "--mode", "overwrite"], check=True)

    snapshot = json.loads((tmp_path / "some.snapshot.json").read_text("utf-8"))
    (api,) = [one for one in snapshot["predictedResources"] if one["type"].endswith("/apis")]
    made = json.loads(api["properties"]["value"])
    assert set(made["paths"]) == {one.path for one in CALLS if one.expected not in left_out}
    assert made == DOCUMENT | {"paths": {path: DOCUMENT["paths"][path] for path in made["paths"]}}
