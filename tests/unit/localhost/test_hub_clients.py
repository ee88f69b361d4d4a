"""The clients are built as the settings say; nothing is asked for before they are used."""

import asyncio
from dataclasses import replace

import pytest
from azure.eventhub.aio import CheckpointStore
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from azure.identity import DefaultAzureCredential as ReadingCredential
from azure.identity.aio import DefaultAzureCredential

from localhost.environment import Host
from localhost.errors import UsageError
from localhost.functions import EventHubFunction
from localhost.hub_clients import check, checkpoint_container, consuming_client, reading_client
from localhost.namespace import Namespace
from localhost.retry import RetryPolicy

FUNCTION = EventHubFunction("ingest", print, "gateway", "hub", "mine", many=True, retry=RetryPolicy(0, 0, 0))
AS_MYSELF = Namespace(None, "contoso.example.org", None, "https://contoso.blob.example.org")
BY_CONNECTION = Namespace(
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;",
    "",
    "UseDevelopmentStorage=true",
    "",
)


@pytest.mark.parametrize(
    ("namespace", "hub", "container"),
    [
        (AS_MYSELF, "contoso.example.org", "https://contoso.blob.example.org/azure-webjobs-eventhub"),
        (BY_CONNECTION, "127.0.0.1:1", "http://127.0.0.1:10000/devstoreaccount1/azure-webjobs-eventhub"),
    ],
)
def test_hub_and_checkpoints_are_where_the_settings_say(namespace: Namespace, hub: str, container: str) -> None:
    async def built() -> tuple[str, str, str]:
        async with DefaultAzureCredential() as me, checkpoint_container(namespace, me) as checkpoints:
            store: CheckpointStore = BlobCheckpointStore(
                checkpoints.url, checkpoints.container_name, container_client=checkpoints
            )
            async with consuming_client(namespace, FUNCTION, Host({}), store, me) as client:
                return client._address.hostname, client.eventhub_name, checkpoints.url

    assert asyncio.run(built()) == (hub, "hub", container)


@pytest.mark.parametrize(("namespace", "hub"), [(AS_MYSELF, "contoso.example.org"), (BY_CONNECTION, "127.0.0.1:1")])
def test_a_range_is_read_from_the_same_hub(namespace: Namespace, hub: str) -> None:
    with ReadingCredential() as me, reading_client(namespace, FUNCTION, "$Default", me) as client:
        assert (client._address.hostname, client.eventhub_name) == (hub, "hub")


@pytest.mark.parametrize(
    ("namespace", "named"),
    [
        (replace(BY_CONNECTION, hubs_connection="nonsense"), "EVENT_HUBS"),
        (replace(BY_CONNECTION, storage_connection="nonsense"), "AzureWebJobsStorage"),
    ],
)
def test_a_connection_string_that_cannot_be_read_is_named(namespace: Namespace, named: str) -> None:
    with pytest.raises(UsageError, match=f"^{named}: "):
        check(namespace)
