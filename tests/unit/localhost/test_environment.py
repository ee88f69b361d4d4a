import json
from pathlib import Path

import pytest

from localhost.environment import APP_ROOT, Host, load_settings, read_host, resolve
from localhost.errors import UsageError
from shared.settings import APP_SETTINGS, HOST_SETTINGS


def write(folder: Path, name: str, values: dict[str, object]) -> None:
    (folder / name).write_text(json.dumps({"Values": values}))


def test_the_example_gives_every_setting_and_no_other_but_the_emulator_s() -> None:
    values: dict[str, str] = {}

    load_settings(values, APP_ROOT)

    if not (APP_ROOT / "local.settings.json").exists():
        assert set(values) == (set(APP_SETTINGS) | set(HOST_SETTINGS)) - {"EVENT_HUBS"}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"GATEWAY_HUB_NAME": "of-the-file", "MONITOR_HUB_NAME": "monitor"})
    environment = {"GATEWAY_HUB_NAME": "of-the-environment"}

    load_settings(environment, tmp_path)

    assert environment == {"GATEWAY_HUB_NAME": "of-the-environment", "MONITOR_HUB_NAME": "monitor"}


def test_the_example_counts_only_where_there_is_no_file_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json.example", {"HUB_CONSUMER_GROUP": "example"})
    environment: dict[str, str] = {}
    load_settings(environment, tmp_path)
    assert environment == {"HUB_CONSUMER_GROUP": "example"}

    write(tmp_path, "local.settings.json", {})
    environment = {}
    load_settings(environment, tmp_path)
    assert environment == {}


def test_the_emulator_of_the_example_counts_only_for_those_who_copied_it(tmp_path: Path) -> None:
    for name in ("local.settings.json.example", "local.settings.json"):
        write(tmp_path, name, {"EVENT_HUBS": "of an emulator", "AzureWebJobsStorage": "another"})
        environment: dict[str, str] = {}
        load_settings(environment, tmp_path)
        copied = name == "local.settings.json"
        assert environment == {"AzureWebJobsStorage": "another"} | ({"EVENT_HUBS": "of an emulator"} if copied else {})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Values": {"A": 1}}'])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "local.settings.json").write_text(text)

    with pytest.raises(UsageError, match=r"local\.settings\.json"):
        load_settings({}, tmp_path)


def test_placeholders_are_resolved_and_a_missing_setting_is_named() -> None:
    assert resolve("%HUB%-%GROUP%", {"HUB": "gateway", "GROUP": "mine"}) == "gateway-mine"
    assert resolve("plain", {}) == "plain"
    with pytest.raises(UsageError, match="HUB"):
        resolve("%HUB%", {"HUB": ""})


def test_host_json_says_how_big_batches_are() -> None:
    assert read_host().max_event_batch_size == 64
    assert read_host().route_prefix == "api"
    assert Host({}).max_event_batch_size == 100


def test_a_host_json_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"eventHubs": {"maxEventBatchSize": "many"}}}')

    with pytest.raises(UsageError, match=r"host\.json"):
        read_host(tmp_path)


def test_a_setting_says_otherwise_than_host_json_as_in_azure() -> None:
    hubs = "AzureFunctionsJobHost__extensions__eventHubs__"

    host = read_host(environment={f"{hubs}maxEventBatchSize": "7", f"{hubs}loadBalancingUpdateInterval": "00:00:03"})

    assert (host.max_event_batch_size, host.balancing_seconds) == (7, 3)
    assert (host.ownership_seconds, Host({}).ownership_seconds) == (30, 120)


def test_a_setting_in_host_json_s_place_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UsageError, match="soon"):
        read_host(environment={"AzureFunctionsJobHost__extensions__eventHubs__loadBalancingUpdateInterval": "soon"})
