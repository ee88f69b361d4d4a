"""Cosmos DB under faults: nothing is lost, nothing is half there, everything may be repeated."""

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from azure.core.exceptions import ServiceRequestError

from shared.errors import StoreUnavailableError
from shared.services.ingest import IngestOutcome, ingest
from shared.stores.cosmos import CosmosContentStore
from shared.stores.ports import ContentDocument, ContentStore
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.azure_monitor import an_envelope, in_parts, model_rows
from tests.builders.cosmos import MemoryContainer, throttled
from tests.builders.databases import new_sqlite

LARGE = ContentDocument("call-1", "Q:1", random.Random(1).randbytes(2_000_000))
DAY = 86_400


def failing_at(number: int) -> Callable[[str, str], None]:
    """Return a fault at one request, counted from 0."""
    count = itertools.count()

    def fault(_kind: str, _name: str) -> None:
        if next(count) == number:
            raise throttled()

    return fault


def store_on(container: MemoryContainer, **days: int) -> CosmosContentStore:
    return CosmosContentStore(lambda: container, **days)


def test_a_large_document_is_written_chunks_first() -> None:
    container = MemoryContainer()

    store_on(container).put([LARGE])

    assert [name.startswith("Q:1~") for _, name in container.requests] == [True, True, True, False]


@pytest.mark.parametrize("number", range(4))
def test_a_large_document_is_there_whole_or_not_at_all_wherever_writing_stops(number: int) -> None:
    container = MemoryContainer(failing_at(number))
    store = store_on(container)

    with pytest.raises(StoreUnavailableError):
        store.put([LARGE])
    early = store.get(["call-1"])
    store.put([LARGE])

    assert early == {}
    assert store.get(["call-1"]) == {"call-1": [LARGE]}


@pytest.mark.parametrize("number", range(1, 5))
def test_a_large_document_goes_whole_wherever_dropping_stops(number: int) -> None:
    container = MemoryContainer()
    store = store_on(container)
    store.put([LARGE])
    store = store_on(container)
    container._fault = failing_at(number)

    with pytest.raises(StoreUnavailableError):
        store.drop([("call-1", "Q:1")])
    early = store.get(["call-1"])
    store.drop([("call-1", "Q:1")])

    assert early in ({}, {"call-1": [LARGE]})
    assert container.items() == []


@pytest.mark.parametrize("number", [0, 7, 31, 63])
def test_a_batch_that_fails_in_its_middle_may_be_put_again(number: int) -> None:
    documents = [ContentDocument(f"call-{place}", "Q:1", b"%d" % place) for place in range(64)]
    container = MemoryContainer(failing_at(number))
    store = store_on(container)

    with pytest.raises(StoreUnavailableError, match="429"):
        store.put(documents)
    store.put(documents)

    found = store.get([one.interaction_id for one in documents])
    assert [found[one.interaction_id] for one in documents] == [[one] for one in documents]


def test_no_more_requests_begin_once_one_failed() -> None:
    container = MemoryContainer(failing_at(0))
    documents = [ContentDocument(f"call-{place}", "Q:1", b"x") for place in range(500)]
    fault, failed = container._fault, threading.Event()

    def wait_for_the_failure(kind: str, name: str) -> None:
        try:
            fault(kind, name)
        except BaseException:
            failed.set()
            raise
        failed.wait(60)
        time.sleep(0.002)

    container._fault = wait_for_the_failure

    with pytest.raises(StoreUnavailableError):
        store_on(container).put(documents)

    assert len(container.requests) < 100


def test_no_fact_is_stored_whose_content_was_not_kept(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    container = MemoryContainer(failing_at(1))
    batch = events.deliveries(events.a_request(), events.a_response())
    store = store_on(container)

    with pytest.raises(StoreUnavailableError):
        ingest(batch, ledger=SqlLedger(engine), content=store)
    with engine.connect() as connection:
        early = connection.execute(sa.select(tables.interaction)).all()
    outcome = ingest(batch, ledger=SqlLedger(engine), content=store)
    engine.dispose()

    assert early == []
    assert outcome == IngestOutcome(received=2, stored=2)
    assert len(store.get(["call-1"])["call-1"]) == 2


def test_an_account_that_does_not_answer_is_asked_again_by_the_next_call() -> None:
    answers = iter([ServiceRequestError("refused"), None])

    def connect() -> MemoryContainer:
        fault = next(answers)
        if fault is not None:
            raise fault
        return MemoryContainer()

    store = CosmosContentStore(connect)

    with pytest.raises(StoreUnavailableError, match="ServiceRequestError"):
        store.put([LARGE])
    store.put([LARGE])

    assert store.get(["call-1"]) == {"call-1": [LARGE]}


def test_a_container_that_does_not_answer_fails_its_check() -> None:
    store = store_on(MemoryContainer(failing_at(0)))

    with pytest.raises(StoreUnavailableError):
        store.check()


@pytest.mark.parametrize(("races", "is_read"), [(9, True), (10, False)])
def test_a_query_in_whose_way_the_client_gets_is_tried_again(races: int, *, is_read: bool) -> None:
    container = MemoryContainer()
    store = store_on(container)
    store.put([LARGE])
    left = iter(range(races))

    def race(kind: str, _name: str) -> None:
        if kind == "query" and next(left, None) is not None:
            raise RuntimeError("OrderedDict mutated during iteration")

    container._fault = race

    if is_read:
        assert store.get(["call-1"]) == {"call-1": [LARGE]}
    else:
        with pytest.raises(StoreUnavailableError):
            store.get(["call-1"])


def test_an_empty_batch_does_not_even_connect() -> None:
    store = CosmosContentStore(lambda: pytest.fail("connected"))

    store.put([])
    store.drop([])

    assert store.get([]) == {}


def test_a_store_that_was_closed_works_again() -> None:
    store = store_on(MemoryContainer())
    documents = [ContentDocument("call-1", name, b"x") for name in "ab"]
    store.put(documents)
    store.close()
    store.close()

    store.put(documents)

    assert store.get(["call-1"]) == {"call-1": documents}


def test_what_expired_is_gone_each_class_at_its_own_time() -> None:
    container = MemoryContainer()
    store = store_on(container, content_days=400, aside_days=30)
    store.put([LARGE, ContentDocument("category:audit:2026-03-02", "aside:1", b"x")])

    container.now = 30 * DAY
    later = store.get(["call-1", "category:audit:2026-03-02"])
    container.now = 400 * DAY

    assert list(later) == ["call-1"]
    assert store.get(["call-1"]) == {}


def test_content_without_a_term_has_none() -> None:
    container = MemoryContainer()

    store_on(container).put([LARGE])

    assert [item for item in container.items() if "ttl" in item] == []


def test_a_document_with_a_chunk_missing_is_none_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    container = MemoryContainer()
    store = store_on(container)
    store.put([LARGE, ContentDocument("call-1", "R:1", b"whole")])
    del container.partitions["call-1"][next(name for name in container.partitions["call-1"] if "~" in name)]

    with caplog.at_level(logging.WARNING):
        found = store.get(["call-1"])

    assert found == {"call-1": [ContentDocument("call-1", "R:1", b"whole")]}
    assert caplog.messages == ["content.torn interaction=call-1 documents=Q:1"]


def test_a_document_that_is_being_written_is_read_once_more() -> None:
    container = MemoryContainer()
    store = store_on(container)
    store.put([LARGE])
    (chunk, item), *_ = [(name, item) for name, item in container.partitions["call-1"].items() if "~" in name]
    del container.partitions["call-1"][chunk]
    queries = itertools.count()

    def written_meanwhile(kind: str, _name: str) -> None:
        if kind == "query" and next(queries) == 1:
            container.partitions["call-1"][chunk] = item

    container._fault = written_meanwhile

    assert store.get(["call-1"]) == {"call-1": [LARGE]}


def test_a_batch_of_256_does_not_wait_for_256_round_trips() -> None:
    company = threading.Barrier(4, timeout=60)

    def meet(_kind: str, _name: str) -> None:
        company.wait()

    container = MemoryContainer(meet)

    # Each request waits for three others: one after another, none would ever be answered.
    store_on(container).put([ContentDocument(f"call-{place}", "Q:1", b"x") for place in range(256)])

    assert len(container.items()) == 256


def test_writers_of_one_document_at_once_leave_it_whole() -> None:
    container = MemoryContainer(lambda _kind, _name: time.sleep(0.001))
    stores = [store_on(container) for _ in range(4)]
    threads = [threading.Thread(target=store.put, args=([LARGE],)) for store in stores]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stores[0].get(["call-1"]) == {"call-1": [LARGE]}
    assert len(container.items()) == 4


def test_whatever_was_ingested_both_content_stores_hold_the_same(tmp_path: Path) -> None:
    told = [
        *in_parts("call-1", {"messages": [{"role": "user", "content": "Hi" * 900}]}, 3),
        *in_parts("call-2", {"messages": [{"role": "user", "content": "Ho"}]}, 2)[1:],
        *(
            an_envelope(row)
            for row in model_rows("call-3", asked='[{"role":"user","content":"2+2?"}]', answered="[]", size=9)
        ),
        events.a_response("call-1"),
        events.a_response("call-2", body={"object": "chat.completion", "choices": [{"message": {"content": "4"}}]}),
        an_envelope({"category": "Audit", "time": "2026-03-02T09:29:58.1234567Z"}),
        events.a_usage_record("chatcmpl-example"),
    ]
    shelves = ["call-1", "call-2", "call-3", "chatcmpl-example", "category:audit:2026-03-02"]
    found = []
    for name in ("sql", "cosmos"):
        (tmp_path / name).mkdir()
        engine = new_sqlite(tmp_path / name)
        content: ContentStore = SqlContentStore(engine) if name == "sql" else store_on(MemoryContainer())
        for place, body in enumerate(reversed(told)):
            ingest(events.deliveries(body, first=place), ledger=SqlLedger(engine), content=content)
        found.append({shelf: content.get([shelf]).get(shelf, []) for shelf in shelves})
        engine.dispose()

    assert found[0] == found[1]
    assert sum(map(len, found[0].values())) >= 6


def test_no_item_comes_near_the_limit_of_two_megabytes() -> None:
    container = MemoryContainer()

    store_on(container).put([ContentDocument("c" * 128, "Q:" + "f" * 62, random.Random(2).randbytes(5_000_000))])

    assert max(len(str(item)) for item in container.items()) < 1.1 * 1024 * 1024
