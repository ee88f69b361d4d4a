"""What docs/func-start.md has people save and type fits the app; tests/e2e runs it."""

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from azure.eventhub import parse_connection_string
from ruamel.yaml import YAML

from localhost.cli import _parser
from localhost.functions import app_functions
from localhost.http_app import Routes
from tests.builders.pages import blocks, commands

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "func-start.md"


def saved(name: str) -> str:
    (text,) = (block.text for block in blocks(PAGE) if block.file is not None and Path(block.file).name == name)
    return text


def compose() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(saved("compose.yaml"))
    return document


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    return values


def test_the_emulator_has_the_hubs_and_groups_that_the_bindings_name() -> None:
    (namespace,) = json.loads(saved("config.json"))["UserConfig"]["NamespaceConfig"]

    groups = {hub["Name"]: {group["Name"] for group in hub["ConsumerGroups"]} for hub in namespace["Entities"]}

    assert groups == {hub.hub_name: {hub.consumer_group} for hub in app_functions().event_hubs}
    # As its configuration has them: text, and at most 32.
    assert all(1 <= int(hub["PartitionCount"]) <= 32 for hub in namespace["Entities"])
    assert all(isinstance(hub["PartitionCount"], str) for hub in namespace["Entities"])


def test_the_settings_lead_to_the_ports_that_the_emulators_publish() -> None:
    services = compose()["services"]
    ports = {port.rsplit(":", 2)[-1] for service in services.values() for port in service["ports"]}
    hubs = parse_connection_string(example()["EVENT_HUBS"])

    # Without a port of its own the clients take AMQP's, without TLS; the storage's emulator is a word for its three.
    assert hubs.fully_qualified_namespace == "localhost"
    assert "UseDevelopmentEmulator=true" in example()["EVENT_HUBS"]
    assert example()["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    assert ports == {"5672", "10000", "10001", "10002"}
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service["ports"])


def test_the_emulator_finds_its_configuration_and_its_storage() -> None:
    services = compose()["services"]
    hubs = services["eventhubs"]

    assert hubs["volumes"] == ["./config.json:/Eventhubs_Emulator/ConfigFiles/Config.json"]
    assert {hubs["environment"][name] for name in ("BLOB_SERVER", "METADATA_SERVER")} <= set(services)
    assert len({Path(str(block.file)).parent for block in blocks(PAGE) if block.file}) == 1


def test_every_value_of_the_settings_is_a_string_as_core_tools_want_it() -> None:
    document = json.loads((ROOT / "local.settings.json.example").read_text())

    assert document["IsEncrypted"] is False
    assert [name for name, value in document["Values"].items() if not isinstance(value, str)] == []


def test_every_command_is_one_that_there_is() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    files = {block.file for block in blocks(PAGE)}
    routes = Routes(app_functions().http, "api")

    for line in commands(PAGE):
        match shlex.split(line):
            case ["docker", "compose", "--file", file, "up", "--detach"]:
                assert file in files
            case ["cp", source, "local.settings.json"]:
                assert (ROOT / source).exists()
            case ["make", target]:
                assert target in targets
            case ["python", "-m", "localhost", *arguments]:
                assert _parser().parse_args(arguments).run
            case ["python", "-m", module, *_]:
                assert find_spec(module)
            case ["curl", *_, url]:
                path = url.removeprefix("http://localhost:7071").partition("?")[0]
                assert routes.match("GET", path)
            case ["python", "-c", _, ">.local/token"] | [
                "PROMPTLEDGER_LOCAL_TOKEN=$(cat .local/token)",
                "func",
                "start",
            ]:
                pass
            case [".", ".venv/bin/activate"] | ["mkdir", "-p", ".local"]:
                pass
            case _:
                raise AssertionError(f"{PAGE.name} has people type what no test knows: {line}")


def test_the_readme_leads_here() -> None:
    section = (ROOT / "README.md").read_text().partition("### In the Functions host")[2].partition("\n## ")[0]
    said = set(re.findall(r"`([^`]+)`", section))

    assert "docs/func-start.md" in section
    assert [one for one in said if not any(one in line for line in commands(PAGE))] == []
