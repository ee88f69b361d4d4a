"""One call, told in pieces and by several sources, is one interaction."""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.errors import StoreUnavailableError
from shared.questions import InteractionFilter
from shared.services.audit import Reader
from shared.services.ingest import IngestOutcome, ingest
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events, ledgers
from tests.builders.azure_monitor import (
    CALL,
    SERVICE_CALL,
    a_gateway_log,
    a_model_log,
    a_request_response,
    a_request_usage,
    an_envelope,
    in_parts,
    model_rows,
)
from tests.builders.databases import new_sqlite

READER = Reader("auditor", "test")
QUESTION = {"messages": [{"role": "user", "content": "What is " + "two and " * 40 + "two?"}]}
ASKED = json.dumps([{"role": "user", "content": "Grüße \N{GRINNING FACE} " * 9}])
ANSWERED = json.dumps([{"role": "assistant", "content": "Hallo \\ " * 9}])


class Store(ledgers.Store):
    """A ledger, its documents, and what is found by a filter."""

    def documents(self) -> list[str]:
        with self.engine.connect() as connection:
            return sorted(connection.scalars(sa.select(tables.content.c.document)))

    def found(self, **narrow: Any) -> list[str]:
        page = self.audit.interactions(InteractionFilter(**narrow), after=None, limit=10, reader=None)
        return [row["id"] for row in page.rows]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = new_sqlite(tmp_path)
    yield Store(engine)
    engine.dispose()


# Pieces of native bodies


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_a_body_in_parts_is_read_once_all_are_there(store: Store, encoding: str) -> None:
    parts = in_parts("call-1", QUESTION, 3, encoding=encoding)

    outcomes = [store.ingest(part) for part in (parts[2], parts[0])]
    early = store.row()
    last = store.ingest(parts[1], events.a_response())

    assert outcomes == [IngestOutcome(received=1, pending=1)] * 2
    assert (early["state"], early["caller_ip"], early["prompt_preview"]) == ("pending", "203.0.113.7", None)
    assert last == IngestOutcome(received=2, stored=2)
    assert store.row()["state"] == "complete"
    content = store.audit.content_of("call-1", reader=READER)
    assert content.prompt == QUESTION["messages"][0]["content"]
    assert content.request == QUESTION


def test_an_interaction_waits_for_the_pieces_of_its_body_though_all_else_is_known(store: Store) -> None:
    first, second = in_parts("call-1", QUESTION, 2)

    store.ingest(first, events.a_response())
    waiting = store.row()["state"]
    store.ingest(second)

    assert (waiting, store.row()["state"]) == ("pending", "complete")


def test_an_answer_may_come_in_parts_too(store: Store) -> None:
    body = json.loads(events.a_response())["body"]

    store.ingest(events.a_request(), *in_parts("call-1", body, 2, part="response"))

    row = store.row()
    assert (row["completion_preview"], row["total_tokens"], row["response_id"]) == ("Four.", 12, "chatcmpl-example")


def test_a_piece_that_was_there_before_is_a_duplicate(store: Store) -> None:
    first, second = in_parts("call-1", QUESTION, 2)
    store.ingest(first)

    again = store.ingest(first)
    store.ingest(second)
    late = store.ingest(second)

    assert (again, late) == (IngestOutcome(received=1, duplicate=1),) * 2


def test_pieces_stay_beside_what_they_made_for_others_that_may_claim_their_places(store: Store) -> None:
    parts = in_parts("call-1", QUESTION, 3)
    store.ingest(*parts[:2])
    store.ingest(parts[2])
    store.ingest(parts[1])

    documents = store.documents()

    assert [document.count("+") for document in documents] == [1, 1, 0, 1]


def test_pieces_that_hold_a_secret_go_when_they_are_joined_and_when_they_come_again(store: Store) -> None:
    asked = QUESTION | {"data_sources": [{"type": "azure_search", "parameters": {"authentication": {"key": "s3cret"}}}]}
    parts = in_parts("call-1", asked, 3)
    store.ingest(*parts)
    store.ingest(parts[1])

    (documents,) = store.content.get(["call-1"]).values()

    assert [document.document.count("+") for document in documents] == [0]
    assert b"s3cret" not in documents[0].body


def test_pieces_that_hold_a_secret_and_came_before_go_by_the_next_delivery_of_a_batch_that_died_before_dropping_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = QUESTION | {"data_sources": [{"type": "azure_search", "parameters": {"authentication": {"key": "s3cret"}}}]}
    first, *rest = events.deliveries(*in_parts("call-1", asked, 3))
    ingest([first], ledger=SqlLedger(store.engine), content=store.content)

    def die(_: object) -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(store.content, "drop", die)
        with pytest.raises(StoreUnavailableError):
            ingest(rest, ledger=SqlLedger(store.engine), content=store.content)
    left = store.documents()
    ingest(rest, ledger=SqlLedger(store.engine), content=store.content)

    assert [document.count("+") for document in left] == [1, 1, 1, 0]
    assert [document.count("+") for document in store.documents()] == [0]


def test_vectors_in_a_body_in_parts_do_not_stay(store: Store) -> None:
    body = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.125] * 99}]}

    store.ingest(*in_parts("call-1", body, 4, part="response"))

    (documents,) = store.content.get(["call-1"]).values()
    assert [b"0.125" in document.body for document in documents] == [False]


def test_many_pieces_one_by_one_cost_the_same_statements_each(store: Store) -> None:
    parts = in_parts("call-1", QUESTION, 40)
    counts: list[int] = []
    for part in parts[:-1]:
        counts.append(0)

        @sa.event.listens_for(store.engine, "before_cursor_execute")
        def _note(*_: object) -> None:
            counts[-1] += 1

        store.ingest(part)
        sa.event.remove(store.engine, "before_cursor_execute", _note)

    assert len(set(counts[2:])) == 1


# Pieces of model logs


@pytest.mark.parametrize("size", [7, 50, 10_000])
def test_rows_of_a_model_log_are_joined_by_number_whatever_their_order(store: Store, size: int) -> None:
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=size)

    outcomes = [store.ingest(an_envelope(row)) for row in reversed(rows)]

    assert all(outcome.pending for outcome in outcomes[:-1])
    assert outcomes[-1] == IngestOutcome(received=1, stored=1)
    content = store.audit.content_of(CALL, reader=READER)
    assert content.prompt == json.loads(ASKED)[0]["content"]
    assert content.completion == json.loads(ANSWERED)[0]["content"]
    assert store.row()["state"] == "complete"
    assert store.row()["usage_provenance"] == "logged"


def test_rows_of_a_model_log_join_the_gateways_log_of_the_same_call(store: Store) -> None:
    bare = {"backendRequestBody": None, "backendResponseBody": None}
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=20)

    store.ingest(an_envelope(*rows), an_envelope(a_gateway_log(properties=bare)))

    row = store.row()
    assert (row["caller_ip"], row["total_tokens"], row["state"]) == ("203.0.113.7", 150, "complete")
    assert row["sources"] == '["azure-monitor"]'


def test_a_text_that_is_whole_stands_above_one_that_was_cut(store: Store) -> None:
    long = json.dumps({"messages": [{"role": "user", "content": "Long. " * 3000}]})
    whole = [{"role": "user", "content": "Long. " * 3000}]

    store.ingest(
        an_envelope(a_gateway_log(properties={"backendRequestBody": long[:8192]})),
        an_envelope(a_model_log(CALL, requestMessages=whole)),
    )

    content = store.audit.content_of(CALL, reader=READER)
    assert content.prompt == whole[0]["content"]


def test_a_stream_that_broke_off_yields_to_the_model_logs_text(store: Store) -> None:
    chunk = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hal"}}]}
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=50)

    store.ingest(events.a_response(CALL, body=f"data: {json.dumps(chunk)}\n\n"), an_envelope(*rows))

    assert store.audit.content_of(CALL, reader=READER).completion == json.loads(ANSWERED)[0]["content"]


# Sources


def known_to_all() -> list[bytes]:
    """Return one call as the policy, both gateway logs, Azure OpenAI's logs and a usage record tell it."""
    headers = {"apim-request-id": SERVICE_CALL.upper()}
    return [
        events.a_request(CALL),
        events.a_response(CALL, headers=headers),
        an_envelope(a_gateway_log(properties={"responseHeaders": headers}), a_model_log()),
        an_envelope(a_request_response(callerObjectId="the gateway"), a_request_usage()),
        an_envelope(a_request_response(modelDeploymentName="", modelName="", modelVersion="")),
        events.a_usage_record("chatcmpl-example"),
    ]


@pytest.mark.slow
def test_a_call_that_every_source_tells_is_one_interaction_whatever_the_order(tmp_path: Path) -> None:
    results = []
    for number, order in enumerate(itertools.islice(itertools.permutations(known_to_all()), 0, 720, 37)):
        folder = tmp_path / str(number)
        folder.mkdir()
        engine = new_sqlite(folder)
        store = Store(engine)
        for body in order:
            store.ingest(body)
        row = store.row()
        row.pop("revision")
        results.append(row)
        engine.dispose()

    assert all(result == results[0] for result in results)
    row = results[0]
    assert row["id"] == CALL
    assert json.loads(row["sources"]) == ["ai-hub-gateway", "azure-monitor", "azure-openai", "native"]
    assert (row["caller_ip"], row["user_id"]) == ("203.0.113.7", "oid-1")
    assert (row["input_tokens"], row["output_tokens"], row["total_tokens"]) == (11, 1, 12)
    assert (row["usage_provenance"], row["state"]) == ("reported", "complete")
    assert row["occurred_at"] == "2026-03-02T09:29:58.250Z"


def test_a_call_that_two_sources_know_by_its_answers_id_is_one(store: Store) -> None:
    store.ingest(events.a_usage_record("chatcmpl-example"))
    alone = store.row()
    store.ingest(events.a_request(), events.a_response())

    row = store.row()
    assert (alone["id"], row["id"]) == ("chatcmpl-example", "call-1")
    assert json.loads(row["sources"]) == ["ai-hub-gateway", "native"]


def test_an_interaction_is_found_by_every_name_it_has(store: Store) -> None:
    store.ingest(*known_to_all())

    found = [store.audit.interaction(name, reader=None)["id"] for name in (CALL, SERVICE_CALL, "chatcmpl-example")]

    assert found == [CALL] * 3
    assert store.audit.content_of(SERVICE_CALL, reader=READER).completion == "Four."


def test_the_hours_of_an_interaction_that_another_takes_in_are_counted_again(store: Store) -> None:
    store.ingest(an_envelope(a_request_response(requestTime=639080369985000000)))  # an hour before
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.dirty_hour))

    store.ingest(events.a_response(CALL, headers={"apim-request-id": SERVICE_CALL}))

    with store.engine.connect() as connection:
        hours = set(connection.scalars(sa.select(tables.dirty_hour.c.hour)))
    assert "2026-03-02T08:00:00.000Z" in hours
    assert [row["id"] for row in store.rows()] == [CALL]


def test_calls_that_only_azure_openai_knows_are_bypasses(store: Store) -> None:
    store.ingest(*known_to_all(), an_envelope(a_request_response("bbbbbbbb-0000-4000-8000-000000000000")))

    assert store.found(bypass=True) == ["bbbbbbbb-0000-4000-8000-000000000000"]
    assert store.found(bypass=False) == [CALL]


def test_a_bypass_keeps_its_masked_caller_and_its_own_identity(store: Store) -> None:
    store.ingest(an_envelope(a_request_response(callerObjectId="oid-7"), a_request_usage()))

    row = store.row()
    assert (row["caller_ip"], row["user_id"], row["state"]) == ("198.51.100.***", "oid-7", "complete")
    assert (row["sources"], row["input_tokens"]) == ('["azure-openai"]', 11)


def test_nobody_waits_for_the_gateways_request_because_azure_openai_logged_the_call(store: Store) -> None:
    outcome = store.ingest(
        events.a_response(CALL, headers={"apim-request-id": SERVICE_CALL}), an_envelope(a_request_response())
    )

    assert outcome == IngestOutcome(received=2, stored=1, pending=1)
    assert store.row()["state"] == "pending"


def test_of_two_interactions_with_one_answers_id_the_earlier_has_the_record(store: Store) -> None:
    """An answer from a cache has the id of the call that filled it."""
    record = events.a_usage_record("chatcmpl-example")
    cached = events.a_response("call-2", time="2026-03-02T10:00:00.000Z")
    for bodies in itertools.permutations([record, cached, events.a_response("call-1")]):
        for body in bodies:
            store.ingest(body)

    sources = {row["id"]: json.loads(row["sources"]) for row in store.rows()}
    assert sources == {"call-1": ["ai-hub-gateway", "native"], "call-2": ["native"]}


def test_interactions_that_share_an_answers_id_stay_apart(store: Store) -> None:
    store.ingest(events.a_response("call-1"), events.a_response("call-2"))

    assert sorted(row["id"] for row in store.rows()) == ["call-1", "call-2"]


def test_a_name_that_moves_takes_its_witness_with_it(store: Store) -> None:
    record = events.a_usage_record("chatcmpl-example")
    late = events.a_response("call-2", time="2026-03-02T10:00:00.000Z")

    store.ingest(late, record)
    before = {row["id"]: row["subscription_id"] for row in store.rows()}
    store.ingest(events.a_response("call-1"))
    after = {row["id"]: row["subscription_id"] for row in store.rows()}

    assert before == {"call-2": "team-a-sub"}
    assert after == {"call-1": "team-a-sub", "call-2": None}


def test_joining_costs_the_same_statements_whatever_the_size_of_the_batch(tmp_path: Path) -> None:
    counts: list[int] = []
    for size in (2, 20, 200):
        folder = tmp_path / str(size)
        folder.mkdir()
        engine = new_sqlite(folder)
        store = Store(engine)
        store.ingest(*_told_by_others(size))
        seen: list[object] = []
        sa.event.listen(engine, "before_cursor_execute", lambda *told, seen=seen: seen.append(told))
        store.ingest(*_told_by_the_gateway(size))
        counts.append(len(seen))
        assert len(store.rows()) == size
        engine.dispose()

    assert len(set(counts)) == 1


def _told_by_others(size: int) -> Sequence[bytes]:
    return [an_envelope(a_request_response(f"service-{number}")) for number in range(size)]


def _told_by_the_gateway(size: int) -> Sequence[bytes]:
    return [
        body
        for number in range(size)
        for body in (
            events.a_request(f"call-{number}"),
            events.a_response(
                f"call-{number}",
                headers={"apim-request-id": f"service-{number}"},
                body={"id": f"chatcmpl-{number}", "object": "chat.completion"},
            ),
        )
    ]


OTHER = {"messages": [{"role": "user", "content": "What is " + "two or " * 40 + "two?"}]}


def _different_rows() -> dict[str, list[bytes]]:
    """Return events of which some claim one place and differ."""
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=90)
    others = model_rows(CALL, asked=ASKED.replace("Gr", "Sp"), answered=ANSWERED, size=90)

    def numbered(number: int, **side: str) -> bytes:
        return an_envelope(a_model_log(sequenceNumber=number, **side))

    return {
        "a whole row and a broken one": [
            numbered(1, requestMessages=ASKED),
            numbered(1, requestMessages=ASKED[:12]),
        ],
        "two whole rows": [
            numbered(1, requestMessages=ASKED),
            numbered(1, requestMessages=ANSWERED),
        ],
        "rows of pieces": [an_envelope(row) for row in (*rows[1:3], others[1])],
        "a row of the other side": [
            numbered(1, requestMessages=ASKED[:40]),
            numbered(2, requestMessages=ASKED[40:]),
            numbered(2, responseMessages=ANSWERED[:9] + "}"),
            numbered(3, requestMessages="]"),
        ],
        "a row with both sides": [
            numbered(1, requestMessages=ASKED[:40], responseMessages=ANSWERED[:40]),
            numbered(2, requestMessages=ASKED[40:], responseMessages=ANSWERED[40:]),
            numbered(2, responseMessages=ANSWERED[40:].replace("H", "h")),
        ],
        "a row before the first": [
            numbered(1, requestMessages=ASKED),
            numbered(0, requestMessages="[" + ASKED[:-1]),
            numbered(2, requestMessages="]"),
        ],
        "parts of native bodies": [*in_parts("call-1", QUESTION, 2), in_parts("call-1", OTHER, 2)[0]],
        "parts of native bodies, one of them no JSON": [
            *in_parts("call-1", QUESTION, 2),
            in_parts("call-1", "{" * 300, 2)[1],
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("bodies", _different_rows().values(), ids=_different_rows())
def test_different_pieces_that_claim_one_place_give_the_same_in_any_order(tmp_path: Path, bodies: list[bytes]) -> None:
    told = [
        _told_in_order(tmp_path / str(number), order) for number, order in enumerate(itertools.permutations(bodies))
    ]

    assert all(one == told[0] for one in told)


def test_a_broken_row_under_the_number_of_a_whole_one_takes_nothing_away(store: Store) -> None:
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=10_000)

    store.ingest(an_envelope(*rows), an_envelope(a_model_log(sequenceNumber=1, requestMessages=ASKED[:12])))

    assert store.row()["state"] == "complete"
    assert store.audit.content_of(CALL, reader=READER).prompt == json.loads(ASKED)[0]["content"]


def test_a_row_that_is_whole_is_read_at_once_and_kept_once(store: Store) -> None:
    store.ingest(an_envelope(a_model_log(sequenceNumber=1, requestMessages=ASKED)))

    (document,) = store.documents()

    assert document.startswith("M:")
    assert store.row()["prompt_preview"] == json.loads(ASKED)[0]["content"][:100]


def test_a_row_that_is_whole_waits_for_those_before_it(store: Store) -> None:
    ahead = store.ingest(an_envelope(a_model_log(CALL), a_model_log(sequenceNumber=2, responseMessages=ANSWERED)))

    assert ahead.pending == 1
    assert store.row()["completion_preview"] is not None


def test_very_many_pieces_that_claim_one_place_each_are_joined_in_bounded_time(store: Store) -> None:
    filler = " " * 8000
    many = [
        a_model_log(
            sequenceNumber=number, requestMessages=f'{"[" if number == 1 else ","}{{"role":"{choice}"}}{filler}'
        )
        for number in range(1, 100)
        for choice in range(2)
    ]

    started = time.process_time()
    store.ingest(an_envelope(*many))

    assert time.process_time() - started < 5
    assert store.row()["state"] == "pending"


def _told_in_order(folder: Path, bodies: Sequence[bytes]) -> list[tuple[object, ...]]:
    folder.mkdir()
    engine = new_sqlite(folder)
    for sequence, body in enumerate(bodies):
        batch = events.deliveries(body, first=sequence)
        ingest(batch, ledger=SqlLedger(engine), content=SqlContentStore(engine))
    columns = [column for column in tables.interaction.columns if column.name != "revision"]
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.select(*columns))]
        rows += [
            tuple(row) for row in connection.execute(sa.select(tables.content).order_by("interaction_id", "document"))
        ]
    engine.dispose()
    return rows
