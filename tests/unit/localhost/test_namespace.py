import pytest

from localhost.errors import UsageError
from localhost.namespace import Namespace

HUBS = "EVENT_HUBS__fullyQualifiedNamespace"
STORAGE = "AzureWebJobsStorage"
CONNECTION = "Endpoint=sb://127.0.0.1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"


@pytest.mark.parametrize("settings", [{}, {HUBS: ""}, {HUBS: "localhost", STORAGE: "UseDevelopmentStorage=true"}])
def test_without_a_namespace_the_local_event_log_is_meant(settings: dict[str, str]) -> None:
    assert Namespace.read(settings) is None


def test_a_namespace_and_an_account_are_used_as_the_one_who_runs_this() -> None:
    read = Namespace.read({HUBS: "contoso.servicebus.windows.net", f"{STORAGE}__accountName": "contoso"})

    assert read == Namespace(None, "contoso.servicebus.windows.net", None, "https://contoso.blob.core.windows.net")


def test_an_account_of_another_cloud_is_named_by_its_service() -> None:
    read = Namespace.read({HUBS: "contoso.example.org", f"{STORAGE}__blobServiceUri": "https://blob.example.org"})

    assert read is not None
    assert read.storage_address == "https://blob.example.org"


def test_a_connection_string_is_what_counts_beside_the_example_s_localhost() -> None:
    read = Namespace.read({"EVENT_HUBS": CONNECTION, HUBS: "localhost", STORAGE: "UseDevelopmentStorage=true"})

    assert read == Namespace(CONNECTION, "localhost", "UseDevelopmentStorage=true", "")


def test_an_account_that_is_named_wins_over_the_example_s_emulator() -> None:
    read = Namespace.read(
        {HUBS: "contoso.example.org", STORAGE: "UseDevelopmentStorage=true", f"{STORAGE}__accountName": "contoso"}
    )

    assert read is not None
    assert read.storage_connection is None


def test_checkpoints_without_a_place_are_refused() -> None:
    with pytest.raises(UsageError, match=STORAGE):
        Namespace.read({HUBS: "contoso.servicebus.windows.net"})
