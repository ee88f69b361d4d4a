"""A body that waits in Blob storage is read once it is there, and says why it is not."""

import base64
import itertools
import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.interaction import State
from shared.domain.reassembly.chunks import Reassembly
from shared.domain.reassembly.claim_checks import Claim, ClaimFault, weight
from shared.services.audit import AuditService, Reader
from shared.services.claim_checks import ClaimCheck, fetch_claimed_bodies
from shared.services.ingest import IngestOutcome
from shared.sources import read_event
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.content import SqlContentStore
from tests.builders import events, ledgers
from tests.builders.claims import MemoryBodies, a_claim, claiming
from tests.builders.databases import new_sqlite

QUESTION = {"messages": [{"role": "user", "content": "What is " + "two and " * 40 + "two?"}]}
ANSWER = json.loads(events.a_response())["body"]
READER = Reader("auditor", "test")
LARGEST = 100_000
BOOKKEEPING = ("parts", "strands", "revision")


class Store(ledgers.Store):
    """A ledger, Blob storage in memory, and a clock."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.bodies = MemoryBodies(largest=LARGEST)
        self.claims = ClaimCheck(self.bodies, largest=LARGEST)
        self.later = timedelta()

    def try_again(self, *, patience: timedelta = timedelta(days=7)) -> int:
        """Run the timer's service."""
        assert self.claims is not None
        return fetch_claimed_bodies(
            queue=SqlClaimQueue(self.engine),
            ledger=self.ledger,
            content=self.content,
            claims=self.claims,
            patience=patience,
            now=lambda: datetime.now(UTC) + self.later,
        )

    def awaited(self) -> list[str]:
        told: list[str] = json.loads(self.row()["awaited"] or "[]")
        return told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = new_sqlite(tmp_path)
    yield Store(engine)
    engine.dispose()


@pytest.mark.parametrize("order", [0, 1])
def test_a_body_that_is_there_is_read_with_its_event(store: Store, order: int) -> None:
    store.bodies.upload("q", QUESTION)
    store.bodies.upload("r", ANSWER)
    pair = [claiming("call-1", "q", QUESTION), claiming("call-1", "r", ANSWER, part="response")]

    outcome = store.ingest(*(pair if order == 0 else reversed(pair)))

    assert outcome == IngestOutcome(received=2, stored=2)
    row = store.row()
    assert (row["state"], row["awaited"], row["total_tokens"]) == ("complete", None, 12)
    content = AuditService(store=SqlAuditStore(store.engine), content=store.content).content_of("call-1", reader=READER)
    assert (content.prompt, content.completion) == (QUESTION["messages"][0]["content"], "Four.")
    assert content.request == QUESTION
    assert store.rows(tables.claim) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps(ANSWER).encode(), id="JSON"),
        pytest.param(b' \n{"choices": []}', id="JSON after white space"),
        pytest.param(b'data: {"choices": [{"delta": {"content": "Hal"}}]}\n\n', id="a stream"),
        pytest.param("Grüße".encode(), id="text"),
        pytest.param(b"[not JSON", id="text that begins like JSON"),
        pytest.param(b"\xff\xfe\x00binary", id="no text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_claimed_body_says_what_the_same_body_in_the_event_would(tmp_path: Path, body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    ways = {
        "inside": events.a_response(body=None, bodyBase64=encoded),
        "claimed": claiming("call-1", "r", body, part="response"),
    }

    rows = []
    for name, event in ways.items():
        (tmp_path / name).mkdir()
        store = Store(new_sqlite(tmp_path / name))
        store.bodies.upload("r", body)
        store.ingest(events.a_request(), event)
        rows.append({name: value for name, value in store.row().items() if name not in BOOKKEEPING})
        store.engine.dispose()

    assert rows[0] == rows[1]


def test_a_body_that_comes_after_its_event_is_awaited_and_fetched_by_the_timer(store: Store) -> None:
    outcome = store.ingest(claiming("call-1", "q", QUESTION), events.a_response())
    waiting, awaited = store.row(), store.awaited()
    store.bodies.upload("q", QUESTION)

    settled = store.try_again()

    assert outcome == IngestOutcome(received=2, pending=2)
    assert (waiting["state"], waiting["caller_ip"], waiting["prompt_preview"]) == ("pending", "203.0.113.7", None)
    assert awaited == ["request: its body: it is not in Blob storage"]
    assert settled == 1
    row = store.row()
    assert (row["state"], row["awaited"]) == ("complete", None)
    assert row["prompt_preview"].startswith("What is two and")
    assert store.rows(tables.claim) == store.rows(tables.waiting) == []


def test_the_timer_tries_again_after_as_long_as_a_claim_has_waited(store: Store) -> None:
    store.ingest(claiming("call-1", "q", QUESTION))
    tries = []

    for minute in range(30):
        store.later = timedelta(minutes=minute, seconds=1)
        before = len(store.bodies.fetched)
        store.try_again()
        tries += [minute] * (len(store.bodies.fetched) - before)

    assert tries == [0, 1, 3, 7, 15]


def test_a_claim_is_given_up_after_some_days_and_taken_up_again_by_its_event(store: Store) -> None:
    event = claiming("call-1", "q", QUESTION)
    store.ingest(event, events.a_response())
    store.later = timedelta(days=8)

    store.try_again()
    given_up = store.rows(tables.claim)
    store.bodies.upload("q", QUESTION)
    outcome = store.ingest(event)

    assert given_up == []
    assert outcome == IngestOutcome(received=1, duplicate=1)
    assert store.row()["state"] == "complete"


@pytest.mark.parametrize(
    ("changes", "body", "reason"),
    [
        pytest.param({"bytes": 3}, QUESTION, "what is in Blob storage has another size", id="size"),
        pytest.param({"sha256": "0" * 64}, QUESTION, "what is in Blob storage has another checksum", id="checksum"),
        pytest.param(
            {"container": "vault"}, QUESTION, "it is claimed from a place that the settings do not name", id="place"
        ),
        pytest.param({}, {"x": "y" * LARGEST}, "it is larger than the settings allow", id="large"),
        pytest.param({}, [{}] * 2000, "it is larger than the settings allow", id="large once it is parsed"),
    ],
)
def test_a_body_that_is_not_the_claimed_one_is_awaited_with_the_reason(
    store: Store, changes: dict[str, Any], body: Any, reason: str
) -> None:
    store.bodies.upload("q", body)
    event = claiming("call-1", "q", body, bodyRef=a_claim("q", body, **changes))

    outcome = store.ingest(event, events.a_response())
    store.try_again()

    assert outcome == IngestOutcome(received=2, pending=2)
    assert store.awaited() == [f"request: its body: {reason}"]
    assert store.row()["prompt_preview"] is None
    assert len(store.rows(tables.claim)) == 1


def test_the_right_body_makes_up_for_a_wrong_one(store: Store) -> None:
    store.bodies.upload("q", b"half")
    store.ingest(claiming("call-1", "q", QUESTION), events.a_response())
    store.bodies.upload("q", QUESTION)

    store.try_again()

    assert (store.row()["state"], store.awaited()) == ("complete", [])


def test_without_an_account_no_body_is_fetched_and_the_row_says_so(store: Store) -> None:
    store.claims = ClaimCheck(None, largest=LARGEST)

    store.ingest(claiming("call-1", "q", QUESTION), events.a_response())

    assert store.awaited() == ["request: its body: it is claimed from a place that the settings do not name"]


def test_storage_that_is_down_holds_up_no_partition(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.bodies.is_down = True
    store.bodies.upload("q", QUESTION)
    with caplog.at_level(logging.WARNING):
        outcome = store.ingest(claiming("call-1", "q", QUESTION), events.a_response())
    store.bodies.is_down = False

    store.try_again()

    assert outcome == IngestOutcome(received=2, pending=2)
    assert caplog.messages == ["claims.unreachable number=1"]
    assert store.row()["state"] == "complete"


@pytest.mark.parametrize("told", [5, {}, {"container": "bodies"}, {"container": 1, "blob": "q"}, {"blob": "q"}])
def test_a_claim_that_names_no_blob_is_waited_for_by_nobody_and_the_content_counts_as_cut(
    store: Store, told: Any
) -> None:
    store.ingest(events.a_request(body=None, bodyRef=told), events.a_response())

    row = store.row()
    assert (row["state"], row["truncated"]) == ("complete", True)
    assert store.bodies.fetched == []


def test_the_claiming_event_is_not_kept_beside_what_it_made(store: Store) -> None:
    store.bodies.upload("q", QUESTION)

    store.ingest(claiming("call-1", "q", QUESTION))

    (document,) = store.content.get(["call-1"])["call-1"]
    assert b"bodyRef" not in document.body
    assert b"two and two" in document.body


def test_an_event_that_comes_again_counts_nothing_twice(store: Store) -> None:
    store.bodies.upload("r", ANSWER)
    event = claiming("call-1", "r", ANSWER, part="response")
    store.ingest(event, events.a_request())
    before = store.row()

    outcome = store.ingest(event, event)

    assert outcome == IngestOutcome(received=2, duplicate=2)
    assert {**store.row(), "revision": 0} == {**before, "revision": 0}
    assert store.row()["total_tokens"] == 12


@pytest.mark.slow
def test_two_claims_of_one_call_give_the_same_in_any_order(tmp_path: Path) -> None:
    told = [
        claiming("call-1", "q", QUESTION),
        claiming("call-1", "q", QUESTION, time="2026-03-02T09:29:57.000Z"),
        claiming("call-1", "other", {"messages": [{"role": "user", "content": "Other"}]}),
        events.a_response(),
    ]
    results = []
    for number, order in enumerate(itertools.permutations(told)):
        folder = tmp_path / str(number)
        folder.mkdir()
        store = Store(new_sqlite(folder))
        store.bodies.upload("q", QUESTION)
        store.bodies.upload("other", {"messages": [{"role": "user", "content": "Other"}]})
        for body in order:
            store.ingest(body)
        results.append({**store.row(), "revision": 0})
        store.engine.dispose()

    assert all(result == results[0] for result in results)


def test_an_interaction_that_was_erased_is_not_made_anew_by_its_claim(store: Store) -> None:
    store.ingest(claiming("call-1", "q", QUESTION))
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.interaction))
    store.bodies.upload("q", QUESTION)

    store.try_again()

    assert store.rows() == store.rows(tables.claim) == []


def test_a_claim_whose_event_is_not_kept_any_more_is_forgotten(store: Store) -> None:
    store.ingest(claiming("call-1", "q", QUESTION))
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.content))

    store.try_again()

    assert store.rows(tables.claim) == []


def test_another_reason_begins_no_new_wait_for_an_interaction_that_was_given_up(store: Store) -> None:
    store.ingest(claiming("call-1", "q", QUESTION), events.a_response())
    with store.engine.begin() as connection:
        connection.execute(sa.update(tables.interaction).values(state=State.INCOMPLETE))
    store.bodies.upload("q", b"wrong")

    store.try_again()

    assert store.row()["state"] == "incomplete"


def test_an_answer_without_usage_is_estimated_from_its_claimed_text(store: Store) -> None:
    answer = {name: value for name, value in ANSWER.items() if name != "usage"}
    store.bodies.upload("q", QUESTION)
    store.bodies.upload("r", answer)

    store.ingest(claiming("call-1", "q", QUESTION), claiming("call-1", "r", answer, part="response"))

    row = store.row()
    assert row["usage_provenance"] == "estimated"
    assert row["input_tokens"] > 40


def test_bodies_are_fetched_together_as_far_as_memory_allows(store: Store) -> None:
    large = {"x": "y" * 90_000}
    claims = ClaimCheck(store.bodies, largest=LARGEST)
    store.claims = claims
    numbers = range(100)
    for number in numbers:
        store.bodies.upload(f"q{number}", large)

    store.ingest(*(claiming(f"call-{number}", f"q{number}", large) for number in numbers))

    assert sum(store.bodies.fetched) == 100
    assert all(count * 90_000 < 8 * 1024 * 1024 for count in store.bodies.fetched)
    assert len(store.bodies.fetched) == 2


def test_claims_cost_the_same_statements_whatever_their_number(tmp_path: Path) -> None:
    counts: list[int] = []
    for size in (2, 20, 200):
        (tmp_path / str(size)).mkdir()
        store = Store(new_sqlite(tmp_path / str(size)))
        store.ingest(events.a_metric())  # the partition's row is there from now on
        store.bodies.upload("q", QUESTION)
        seen: list[object] = []
        sa.event.listen(store.engine, "before_cursor_execute", lambda *told, seen=seen: seen.append(told))
        half = size // 2
        store.ingest(
            *(claiming(f"call-{number}", "q", QUESTION) for number in range(half)),
            *(claiming(f"call-{number}", "absent", QUESTION) for number in range(half, size)),
        )
        counts.append(len(seen))
        store.engine.dispose()

    assert len(set(counts)) == 1


class MeetingBodies(MemoryBodies):
    """Blob storage that answers once `company` ask it at the same time, and notes how many do."""

    def __init__(self, company: int) -> None:
        super().__init__(largest=10**8)
        self.at_once = 0
        self.most_at_once = 0
        self._company = threading.Barrier(company, timeout=60)

    def fetch(self, claims: Sequence[Claim]) -> list[bytes | ClaimFault]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self._company.wait()
        time.sleep(0.02)  # for others to come, if any may
        self.at_once -= 1
        return super().fetch(claims)


@pytest.mark.parametrize(("size", "at_once"), [(9 * 1024 * 1024, 1), (1024, 4)])
def test_large_bodies_are_in_memory_one_at_a_time_though_partitions_are_ingested_at_once(
    tmp_path: Path, size: int, at_once: int
) -> None:
    engine = new_sqlite(tmp_path)
    bodies = MeetingBodies(at_once)
    claims = ClaimCheck(bodies, largest=10**8)
    event = claiming("call-1", "absent", b"", bodyRef=a_claim("absent", b"", bytes=size))
    chunks = Reassembly([read_event(event, events.ENQUEUED).fragments[0].key]).ready[0]
    threads = [
        threading.Thread(target=claims.meet, args=({(f"call-{number}", chunks): event}, SqlContentStore(engine)))
        for number in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()

    assert bodies.most_at_once == at_once


def test_a_batch_without_claims_costs_not_one_statement_more(store: Store) -> None:
    seen: list[str] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    store.ingest(events.a_request(), events.a_response())

    assert [statement for statement in seen if "claim " in statement] == []


def test_a_body_weighs_more_the_more_values_it_has_and_the_wider_its_letters() -> None:
    size = 10_000
    text, wide, numbers = (
        b'"' + b"x" * size + b'"',
        ("\N{GRINNING FACE}" * (size // 4)).encode(),
        b"[" + b"1," * (size // 2),
    )

    prose = json.dumps(['He said, "No, no, [never] {ever}", ' * 300_000] * 2).encode()
    assert size < weight(text) < 1.1 * size
    assert len(prose) <= weight(prose) < 1.01 * len(prose)
    assert weight(wide) == 4 * size
    assert weight(numbers) > 20 * size
