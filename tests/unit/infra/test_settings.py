"""The app gets every setting that it reads, by the names and values that the rest of the estate has."""

import json
import re
from pathlib import Path

import pytest

from shared.settings import APP_SETTINGS, HOST_SETTINGS
from tests.unit.infra.templates import INFRA, Node, dig, properties, template, text_of

ROOT = INFRA.parent
MAIN = template(INFRA / "main.bicep")
APP = template(INFRA / "modules" / "function-app.bicep")

PLATFORM = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "telemetry by identity, not by key",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where telemetry goes",
    "AZURE_CLIENT_ID": "which identity azure-identity signs in with",
    "AzureWebJobsStorage__accountName": "AzureWebJobsStorage by identity",
    "AzureWebJobsStorage__clientId": "AzureWebJobsStorage by identity",
    "AzureWebJobsStorage__credential": "AzureWebJobsStorage by identity",
    "EVENT_HUBS__clientId": "which identity the bindings sign in with",
    "EVENT_HUBS__credential": "the bindings sign in with an identity",
    "OTEL_METRICS_EXPORTER": "no exporter beside Application Insights",
    "PYTHON_THREADPOOL_THREAD_COUNT": "threads of the worker",
}
"""Settings that the platform and its libraries read."""

LOCAL_ONLY = {
    "EVENT_HUBS": "of the emulator: in Azure identity signs in",
    "PROMPTLEDGER_COSMOS_KEY": "of the emulator: in Azure identity signs in",
    "PROMPTLEDGER_LOCAL_TOKEN": "of a developer: in Azure Entra signs in",
}

ELSEWHERE = {
    "AzureWebJobsStorage": "given by parts, to sign in by identity",
    "FUNCTIONS_WORKER_RUNTIME": "Flex Consumption takes it from functionAppConfig, and refuses it here",
}


def settings() -> dict[str, Node]:
    output = next(
        one for one in template(INFRA / "modules" / "app-settings.bicep").all("output") if one.name == "values"
    )
    assert output.value is not None
    return properties(output.value)


def variable(name: str) -> str:
    return next(text_of(one.value) for one in MAIN.all("var") if one.name == name and one.value is not None)


def given(module: str, parameter: str) -> str:
    call = next(one for one in MAIN.all("module") if one.name == module)
    value = dig(call.body, f"params.{parameter}")
    assert value is not None
    return text_of(value) if value.type == "string" else variable(text_of(value))


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    return values


def test_every_setting_that_the_app_or_its_bindings_read_is_set() -> None:
    read = {*APP_SETTINGS, *HOST_SETTINGS} - {*LOCAL_ONLY, *ELSEWHERE}

    assert read - set(settings()) == set()


def test_no_setting_is_set_that_nobody_reads() -> None:
    assert set(settings()) - {*APP_SETTINGS, *HOST_SETTINGS, *PLATFORM} == set()


def test_no_setting_is_set_that_is_for_a_laptop_or_stands_elsewhere() -> None:
    assert set(settings()) & {*LOCAL_ONLY, *ELSEWHERE} == set()
    assert text_of(settings()["PROMPTLEDGER_AUTH"]) != "local"


def test_every_connection_signs_in_by_the_app_s_identity() -> None:
    for connection in ("AzureWebJobsStorage", "EVENT_HUBS"):
        assert text_of(settings()[f"{connection}__credential"]) == "managedidentity"
        assert text_of(settings()[f"{connection}__clientId"]) == "identityClientId"


def test_the_runtime_is_python() -> None:
    app = next(one for one in APP.all("resource") if one.name == "app")
    runtime = dig(app.body, "properties.functionAppConfig.runtime.name")

    assert runtime is not None
    assert text_of(runtime) == example()["FUNCTIONS_WORKER_RUNTIME"]


@pytest.mark.parametrize(
    ("setting", "module", "parameter"),
    [
        ("GATEWAY_HUB_NAME", "eventHubs", "gatewayHubName"),
        ("MONITOR_HUB_NAME", "eventHubs", "monitorHubName"),
        ("HUB_CONSUMER_GROUP", "eventHubs", "consumerGroupName"),
    ],
)
def test_hubs_are_called_as_on_a_laptop(setting: str, module: str, parameter: str) -> None:
    assert given(module, parameter) == example()[setting]


@pytest.mark.parametrize(
    ("setting", "parameter"),
    [("PROMPTLEDGER_COSMOS_DATABASE", "databaseName"), ("PROMPTLEDGER_COSMOS_CONTAINER", "containerName")],
)
def test_the_content_container_is_called_as_on_a_laptop(setting: str, parameter: str) -> None:
    assert given("cosmos", parameter) == example().get(setting, given("cosmos", parameter))


def test_writer_and_reader_of_claim_checks_mean_one_container() -> None:
    containers = {
        given(module, parameter)
        for module, parameter in [
            ("appSettings", "claimCheckContainerName"),
            ("apiManagementNamedValues", "claimCheckContainerName"),
        ]
    }

    assert containers == {variable("claimCheckContainerName")}


def test_the_database_that_the_app_opens_is_the_one_that_is_made() -> None:
    assert given("appSettings", "sqlDatabaseName") == given("sql", "databaseName")


def test_schedules_have_six_fields() -> None:
    schedules = {name: text_of(value) for name, value in settings().items() if name.endswith("_SCHEDULE")}

    assert schedules
    assert {name for name, value in schedules.items() if len(value.split()) != 6} == set()


def test_functions_that_have_instances_waiting_exist() -> None:
    source = APP.path.read_text(encoding="utf-8")
    blueprints = "\n".join(path.read_text(encoding="utf-8") for path in Path(ROOT / "blueprints").glob("*.py"))
    named = re.findall(r"'function:(\w+)'", source)

    assert named
    assert [name for name in named if not re.search(rf"^(async )?def {name}\(", blueprints, re.MULTILINE)] == []


def test_an_instance_answers_several_questions_at_a_time() -> None:
    app = next(one for one in APP.all("resource") if one.name == "app")

    concurrency = dig(app.body, "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency")

    assert concurrency is not None
    assert int(concurrency.text or b"1") == 16
