"""The real SDK against the emulator, with faults on the wire between them."""

import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import pytest
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.stores.cosmos import CosmosContentStore, connected
from shared.stores.ports import ContentDocument
from tests.builders.content_stores import emulator_settings
from tests.parts.servers import CosmosEmulator, cosmos_emulator

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

DOCUMENTS = [ContentDocument(f"call-{number}", "Q:1", b"x" * number) for number in range(6)]


@pytest.fixture(scope="module")
def emulator() -> Iterator[CosmosEmulator]:
    with cosmos_emulator() as emulator:
        yield emulator


class Answer:
    """An HTTP response that no server sent."""

    def __init__(self, request: HttpRequest, status: int, headers: dict[str, str]) -> None:
        self.request = request
        self.status_code = status
        self.reason = "injected"
        self.headers = headers
        self.content_type = "application/json"

    def body(self) -> bytes:
        return json.dumps({"code": str(self.status_code), "message": "injected"}).encode()

    def text(self, encoding: str | None = None) -> str:
        return self.body().decode(encoding or "utf-8")


class FaultyTransport(HttpTransport[Any, Any]):
    """The real transport; while `faults` has some, each write of an item meets one."""

    def __init__(self) -> None:
        self.real = RequestsTransport()
        self.faults: list[int | str] = []
        self.writes = 0

    def send(self, request: Any, **kwargs: Any) -> Any:
        if request.method != "POST" or not request.url.endswith("/docs/") or b"SELECT" in _bytes(request):
            return self.real.send(request, **kwargs)
        self.writes += 1
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return Answer(request, fault, {"x-ms-retry-after-ms": "50"})
        answer = self.real.send(request, **kwargs)
        if fault == "answer lost":
            raise ServiceResponseTimeoutError("the answer was lost on its way")
        return answer

    def open(self) -> None:
        self.real.open()

    def close(self) -> None:
        self.real.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:  # fmt: skip
        self.close()


def _bytes(request: Any) -> bytes:
    data = request.data or b""
    return data.encode() if isinstance(data, str) else data


@pytest.fixture
def wire() -> FaultyTransport:
    return FaultyTransport()


@pytest.fixture
def store(emulator: CosmosEmulator, wire: FaultyTransport) -> Iterator[CosmosContentStore]:
    settings = emulator_settings(emulator)
    store = CosmosContentStore(lambda: connected(settings, transport=wire))
    yield store
    store.close()


def kept(store: CosmosContentStore) -> list[ContentDocument]:
    found = store.get([one.interaction_id for one in DOCUMENTS])
    return [one for name in sorted(found) for one in found[name]]


def test_throttling_is_waited_out_as_long_as_the_service_says(store: CosmosContentStore, wire: FaultyTransport) -> None:
    store.put(DOCUMENTS[:1])
    wire.faults = [429] * 3
    started = time.perf_counter()

    store.put(DOCUMENTS)

    assert time.perf_counter() - started >= 0.05
    assert wire.writes == 1 + len(DOCUMENTS) + 3
    assert kept(store) == DOCUMENTS


@pytest.mark.parametrize("fault", [429, 503, 500, 403])
def test_what_the_service_goes_on_refusing_is_raised_and_may_be_put_again(
    store: CosmosContentStore, wire: FaultyTransport, fault: int
) -> None:
    wire.faults = [fault] * 200

    with pytest.raises(StoreUnavailableError, match=str(fault)) as caught:
        store.put(DOCUMENTS)
    wire.faults = []
    store.put(DOCUMENTS)

    assert "xxxx" not in str(caught.value)
    assert kept(store) == DOCUMENTS


def test_a_write_whose_answer_was_lost_may_be_repeated(store: CosmosContentStore, wire: FaultyTransport) -> None:
    wire.faults = ["answer lost"]
    store.put(DOCUMENTS[:1])
    wire.faults = ["answer lost"] * 100

    with pytest.raises(StoreUnavailableError):
        store.put(DOCUMENTS)
    wire.faults = []
    store.put(DOCUMENTS)

    assert kept(store) == DOCUMENTS


def test_an_account_that_is_gone_is_a_store_that_is_down() -> None:
    with cosmos_emulator() as emulator:
        settings = emulator_settings(emulator)
        store = CosmosContentStore(lambda: connected(settings))
        store.put(DOCUMENTS)
        emulator.server.kill()

        with pytest.raises(StoreUnavailableError):
            store.put(DOCUMENTS[:1])

        store.close()


def test_a_container_that_deletes_by_itself_or_has_another_key_is_refused(emulator: CosmosEmulator) -> None:
    settings = emulator_settings(emulator, "fit")
    client = connected(settings).client_connection

    for name, changes, told in (
        ("other key", {"partitionKey": {"paths": ["/id"], "kind": "Hash"}}, "partitioned"),
        ("short", {"defaultTtl": 60}, "TTL"),
    ):
        definition = {"id": name, "partitionKey": {"paths": ["/interactionId"], "kind": "Hash"}, **changes}
        client.CreateContainer("dbs/promptledger", definition)
        with pytest.raises(ConfigurationError, match=told):
            connected(emulator_settings(emulator, name))
