"""A real host on a real client, Event Hubs' stand-in and Azurite: what a producer sends is answered by the API."""

import json
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path
from time import monotonic

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage
from azure.storage.blob import ContainerClient
from promptledger_client import PromptLedger

from localhost.errors import UsageError
from localhost.functions import EventHubFunction
from localhost.namespace import Namespace
from localhost.redrive import Range, events_of
from localhost.retry import RetryPolicy
from localhost.traffic.mix import DEFAULT_START, an_hour
from tests.e2e.commands import Started, rows, run, started, until
from tests.e2e.test_start import change, total
from tests.parts.servers import Azurite, EventHubs, azurite, cosmos_emulator, event_hubs

HOST = "AzureFunctionsJobHost__extensions__eventHubs__"
CONTAINER = "azure-webjobs-eventhub"


@pytest.fixture
def store() -> Iterator[Azurite]:
    with azurite() as running:
        yield running


@pytest.fixture
def hubs() -> Iterator[EventHubs]:
    with event_hubs("gateway", "monitor") as running:
        yield running


@pytest.fixture(autouse=True)
def settings(hubs: EventHubs, store: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_HUBS", hubs.connection_string)
    monkeypatch.setenv("AzureWebJobsStorage", store.connection_string)
    monkeypatch.setenv(f"{HOST}loadBalancingUpdateInterval", "00:00:01")
    monkeypatch.setenv(f"{HOST}partitionOwnershipExpirationInterval", "00:00:04")


def send(hubs: EventHubs, count: int, seed: int) -> Counter[tuple[str, str]]:
    """Send sample traffic; return how many events each hub's partition got."""
    by_partition: dict[tuple[str, str], list[EventData | AmqpAnnotatedMessage]] = {}
    for event in an_hour(count, seed, DEFAULT_START):
        by_partition.setdefault(event[:2], []).append(EventData(event[2].body))

    def send_to(hub: str, partition: str) -> None:
        client = EventHubProducerClient.from_connection_string(hubs.connection_string, eventhub_name=hub)
        with client:
            client.send_batch(by_partition[hub, partition], partition_id=partition)

    # A client takes a second or two to open its link, most of it asleep.
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda key: send_to(*key), by_partition))
    return Counter({key: len(events) for key, events in by_partition.items()})


def blobs(store: Azurite, kind: str, hub: str = "gateway") -> dict[str, Mapping[str, str]]:
    """Return what the consumers noted in the blobs of a kind, by partition."""
    with ContainerClient.from_connection_string(store.connection_string, CONTAINER) as container:
        found = list(container.list_blobs(include=["metadata"]))
    return {
        blob.name.rpartition("/")[2]: blob.metadata for blob in found if f"/{hub}/promptledger/{kind}/" in blob.name
    }


def checkpoints(store: Azurite, hub: str = "gateway") -> dict[str, int]:
    return {partition: int(noted["sequencenumber"]) for partition, noted in blobs(store, "checkpoint", hub).items()}


def received(server: Started, count: int) -> dict[str, int]:
    return until(lambda: counts if (counts := total(server.url))["received"] >= count else None)


def test_what_a_producer_sends_is_stored_answered_and_checkpointed(
    tmp_path: Path, hubs: EventHubs, store: Azurite
) -> None:
    sent = send(hubs, 1200, seed=4)

    with started(tmp_path) as server:
        balance = received(server, 1200)
        with PromptLedger(server.url) as ledger:
            listed = ledger.list_interactions(source="native", limit=5)
            content = ledger.read_content(listed["items"][0]["id"])
        until(lambda: checkpoints(store, "gateway") == last_of(sent, "gateway"))
        until(lambda: checkpoints(store, "monitor") == last_of(sent, "monitor"))

    assert server.process.returncode == 0
    assert sum(count for name, count in balance.items() if name != "received") == balance["received"] == 1200
    assert content.get("prompt"), content
    positions = rows(
        tmp_path / ".local/promptledger.db",
        "select hub, partition_id, count(*), min(sequence), max(sequence) from delivery group by hub, partition_id",
    )
    assert positions == [(*key, count, 0, count - 1) for key, count in sorted(sent.items())]


def test_content_goes_to_cosmos_db_and_the_api_reads_it_there(
    tmp_path: Path, hubs: EventHubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cosmos_emulator() as cosmos:
        monkeypatch.setenv("PROMPTLEDGER_CONTENT", "cosmos")
        monkeypatch.setenv("PROMPTLEDGER_COSMOS_ENDPOINT", cosmos.endpoint)
        monkeypatch.setenv("PROMPTLEDGER_COSMOS_DATABASE", "promptledger")
        monkeypatch.setenv("PROMPTLEDGER_COSMOS_CONTAINER", "content")
        monkeypatch.setenv("PROMPTLEDGER_COSMOS_KEY", cosmos.key)
        send(hubs, 100, seed=4)

        with started(tmp_path) as server:
            balance = received(server, 100)
            with PromptLedger(server.url) as ledger:
                listed = ledger.list_interactions(source="native", state="complete", limit=1)
                content = ledger.read_content(listed["items"][0]["id"])

    assert sum(count for name, count in balance.items() if name != "received") == balance["received"] == 100
    assert content["request"] is not None
    assert rows(tmp_path / ".local/promptledger.db", "select count(*) from content") == [(0,)]


def last_of(sent: Counter[tuple[str, str]], hub: str) -> dict[str, int]:
    return {partition: count - 1 for (name, partition), count in sent.items() if name == hub}


def test_a_broker_that_is_killed_and_comes_back_costs_no_event(tmp_path: Path, hubs: EventHubs) -> None:
    with started(tmp_path) as server:
        send(hubs, 400, seed=1)
        received(server, 400)
        hubs.server.kill()
        hubs.server.start()
        send(hubs, 400, seed=2)
        balance = received(server, 800)

    assert balance["received"] == 800
    assert server.process.returncode == 0


def test_a_restart_goes_on_from_the_checkpoints(tmp_path: Path, hubs: EventHubs) -> None:
    for round_ in (1, 2):
        send(hubs, 400, seed=round_)
        with started(tmp_path) as server:
            received(server, 400 * round_)

    redelivered = rows(tmp_path / ".local/promptledger.db", "select sum(redelivered) from hub_partition")
    assert redelivered == [(0,)]


def test_two_hosts_share_the_partitions_and_one_takes_over_what_a_killed_one_had(
    tmp_path: Path, hubs: EventHubs, store: Azurite
) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    with started(folders[0], "--database", database) as one:
        with started(folders[1], "--database", database) as two:
            until(lambda: owners(store) == [2, 2])
            send(hubs, 400, seed=1)
            received(one, 400)
            two.process.send_signal(signal.SIGKILL)
            two.process.wait()
        send(hubs, 400, seed=2)
        balance = received(one, 800)
        until(lambda: owners(store) == [4])

    assert balance["received"] == 800
    both = [one.log.read_text(), two.log.read_text()]
    assert all("ingest.batch hub=gateway" in log for log in both)


def owners(store: Azurite) -> list[int]:
    return sorted(Counter(noted["ownerid"] for noted in blobs(store, "ownership").values()).values())


def test_while_a_batch_fails_it_is_repeated_and_its_checkpoint_waits(
    tmp_path: Path, hubs: EventHubs, store: Azurite
) -> None:
    database = tmp_path / ".local/promptledger.db"
    assert run(tmp_path, "timer", "rebuild_usage_rollups").returncode == 0
    change(database, "alter table hub_partition rename to out_of_order")
    sent = send(hubs, 200, seed=1)

    with started(tmp_path) as server:
        until(lambda: "next try in 4 s" in server.log.read_text())
        assert checkpoints(store) == {}
        assert rows(database, "select count(*) from interaction") == [(0,)]

        change(database, "alter table out_of_order rename to hub_partition")

        received(server, 200)
        until(lambda: checkpoints(store) == last_of(sent, "gateway"))


def test_a_host_that_repeats_a_batch_stops_when_it_is_asked_to(tmp_path: Path, hubs: EventHubs, store: Azurite) -> None:
    database = tmp_path / ".local/promptledger.db"
    assert run(tmp_path, "timer", "rebuild_usage_rollups").returncode == 0
    change(database, "alter table hub_partition rename to out_of_order")
    send(hubs, 50, seed=1)

    with started(tmp_path) as server:
        until(lambda: "next try in 8 s" in server.log.read_text())
        asked = monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        took = monotonic() - asked

    assert took < 6
    assert checkpoints(store) == {}


def test_storage_that_is_gone_at_the_start_and_later_is_waited_for(
    tmp_path: Path, hubs: EventHubs, store: Azurite
) -> None:
    sent = send(hubs, 400, seed=1)
    store.server.stop()

    with started(tmp_path) as server:
        until(lambda: "waits for the storage" in server.log.read_text())
        store.server.start()
        received(server, 400)
        until(lambda: checkpoints(store) == last_of(sent, "gateway"))
        store.server.stop()
        sent += send(hubs, 400, seed=2)
        received(server, 800)
        store.server.start()
        sent += send(hubs, 400, seed=3)
        received(server, 1200)
        until(lambda: checkpoints(store) == last_of(sent, "gateway"))


def test_a_range_is_driven_again_without_a_double_effect(tmp_path: Path, hubs: EventHubs) -> None:
    send(hubs, 600, seed=1)
    with started(tmp_path) as server:
        received(server, 600)
        before = everything(tmp_path / ".local/promptledger.db")
        part = run(tmp_path, "redrive", "--hub", "gateway", "--partition", "1", "--from", "5", "--to", "24")
        rest = run(tmp_path, "redrive", "--hub", "gateway", "--partition", "1", "--from", "20", "--batch", "7")

    assert (part.returncode, rest.returncode) == (0, 0), part.stderr + rest.stderr
    assert json.loads(part.stdout) | {"received": 20, "duplicate": 20} == json.loads(part.stdout)
    assert json.loads(rest.stdout)["duplicate"] == json.loads(rest.stdout)["received"] > 20
    assert everything(tmp_path / ".local/promptledger.db") == before


def everything(database: Path) -> list[object]:
    columns = [name for (name,) in rows(database, "select name from pragma_table_info('interaction')")]
    kept = ", ".join(name for name in columns if name != "revision")
    return [
        rows(database, f"select {kept} from interaction order by id"),
        rows(database, "select * from delivery order by hub, partition_id, sequence, enqueued_at"),
        rows(database, "select id, reason, body from quarantine order by id"),
    ]


def test_a_range_that_is_not_there_is_answered_in_words(tmp_path: Path, hubs: EventHubs) -> None:
    send(hubs, 50, seed=1)
    says = {
        ("--hub", "gateway", "--partition", "9", "--from", "0"): "there is no partition 9",
        ("--hub", "gateway", "--partition", "1", "--from", "99"): "it has 0 to ",
        ("--hub", "gateway", "--partition", "1", "--from", "9", "--to", "8"): "stands before",
        ("--hub", "nowhere", "--partition", "1", "--from", "0"): "no function consumes",
    }

    done = {arguments: run(tmp_path, "redrive", *arguments) for arguments in says}

    for arguments, said in says.items():
        assert done[arguments].returncode == 2
        assert said in done[arguments].stderr
        assert "Traceback" not in done[arguments].stderr


def test_sample_traffic_is_sent_to_the_hubs_with_its_keys(tmp_path: Path, hubs: EventHubs) -> None:
    expected = Counter((hub, event.partition_key, event.body) for hub, _, event in an_hour(300, 5, DEFAULT_START))

    done = run(tmp_path, "traffic", "--count", "300", "--seed", "5", "--to-hubs")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "300 events sent to the hubs\n")
    assert Counter(held(hubs)) == expected


def held(hubs: EventHubs) -> Iterator[tuple[str, str | None, bytes]]:
    """Return what the hubs hold: hub, key and body of each event."""
    namespace = Namespace(hubs.connection_string, "", "UseDevelopmentStorage=true", "")
    for hub, partition in product(("gateway", "monitor"), "0123"):
        function = EventHubFunction("", print, hub, hub, "", many=True, retry=RetryPolicy(0, 0, 0))
        with suppress(UsageError):  # nothing in this partition
            for one in events_of(namespace, function, Range(partition, 0, None), "$Default"):
                yield hub, one.event.partition_key, one.event.body


@pytest.mark.parametrize(
    "command",
    [
        ("traffic", "--count", "5", "--seed", "5", "--to-hubs"),
        ("redrive", "--hub", "gateway", "--partition", "1", "--from", "0"),
    ],
    ids=lambda command: command[0],
)
def test_hubs_that_are_gone_are_answered_in_words(tmp_path: Path, hubs: EventHubs, command: tuple[str, ...]) -> None:
    hubs.server.kill()

    done = run(tmp_path, *command)

    assert done.returncode == 2
    assert "ConnectError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("setting", ["EVENT_HUBS", "AzureWebJobsStorage"])
def test_a_connection_string_that_cannot_be_read_is_answered_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(setting, "nonsense")

    done = run(tmp_path, "start", "--port", "0")

    assert done.returncode == 2
    assert f"{setting}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_stops_in_order_while_the_hub_is_gone(tmp_path: Path, hubs: EventHubs) -> None:
    with started(tmp_path) as server:
        send(hubs, 50, seed=1)
        received(server, 50)
        hubs.server.kill()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(60)

    assert code == 0


class TestGeoReplication:
    """Hubs with geo-replication: offsets are no numbers."""

    @pytest.fixture
    def hubs(self) -> Iterator[EventHubs]:
        with event_hubs("gateway", "monitor", geo=True) as running:
            yield running

    def test_offsets_that_are_no_numbers_are_checkpointed_and_gone_on_from(
        self, tmp_path: Path, hubs: EventHubs, store: Azurite
    ) -> None:
        for round_ in (1, 2):
            send(hubs, 200, seed=round_)
            with started(tmp_path) as server:
                received(server, 200 * round_)

        assert all(noted["offset"].startswith("1:") for noted in blobs(store, "checkpoint").values())
        redelivered = rows(tmp_path / ".local/promptledger.db", "select sum(redelivered) from hub_partition")
        assert redelivered == [(0,)]
