"""Rule 2: any set of events, in any order, in any batches, with any repeats, gives the same rows."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.delivery import Delivery, Position
from shared.services.audit import AuditService, PartitionBalance
from shared.services.claim_checks import ClaimCheck, fetch_claimed_bodies
from shared.services.ingest import IngestOutcome, ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import azure_monitor, events, other_events, vendor_calls
from tests.builders.claims import MemoryBodies, a_claim, claiming
from tests.builders.databases import memory_folder, new_sqlite

pytestmark = pytest.mark.slow

_ids = st.sampled_from(["call-1", "call-2", "call-3"])
_message_ids = st.sampled_from(["0f0e0d0c-0b0a-4908-8706-050403020100", "1f0e0d0c-0b0a-4908-8706-050403020100"])
_urls = st.sampled_from(["/openai/v1/embeddings", "/x", "", 5])
_record_ids = st.sampled_from(["chatcmpl-1", "chatcmpl-2"])
_times = st.sampled_from(["2026-03-02T09:29:58.250Z", "2026-03-02T09:30:58.250Z", "2026-03-02T11:00:00.000Z"])
_statuses = st.sampled_from([200, 400, 429, 500, "200", None])
_enqueued = st.sampled_from([events.ENQUEUED, "2026-02-03T09:30:00.000Z", "2026-03-02T09:29:00.000Z"])
_texts = st.sampled_from(["Hi", "Ho", "", "Grüße \N{GRINNING FACE}"])
_counts = st.one_of(st.integers(0, 40), st.sampled_from(["7", None, -1, 10**30, 1.5]))

_service_ids = st.sampled_from(["service-1", "service-2"])

_ASKED = '[{"role":"user","content":"Hi [{\\\\\\"}] there"}]'
_ANSWERED = '[{"role":"assistant","content":"Ho \\ud83d\\ude00"}]'

_records = st.one_of(
    st.builds(
        lambda i, service, time: azure_monitor.a_gateway_log(
            i, {"responseHeaders": {"apim-request-id": service}}, time=time
        ),
        _ids, _service_ids, _times,
    ),
    st.builds(
        lambda i, asked, size, place: (rows := azure_monitor.model_rows(i, asked=asked, answered=_ANSWERED, size=size))[
            place % len(rows)
        ],
        _ids, st.sampled_from([_ASKED, _ASKED.replace("Hi", "Ho")]), st.sampled_from([12, 30, 99]), st.integers(0, 9),
    ),
    st.builds(lambda service, n: azure_monitor.a_request_response(service, promptTokens=n), _service_ids, _counts),
    st.builds(lambda service: azure_monitor.a_request_response(service, modelDeploymentName=""), _service_ids),
    st.builds(azure_monitor.a_request_usage, _service_ids),
    st.just({"category": "Audit", "time": "2026-03-02T09:29:58.1234567Z"}),
)  # fmt: skip
_parts = st.builds(
    lambda i, text, part, count, place, encoding: azure_monitor.in_parts(
        i, {"messages": [{"role": "user", "content": text}]}, count, part=part, encoding=encoding
    )[place % count],
    _ids, st.sampled_from(["Hi, and then some more", "Hi, and then some mire", "Ho, and then some more"]),
    st.sampled_from(["request", "response"]), st.integers(1, 2), st.integers(0, 1),
    st.sampled_from(["utf-8", "base64"]),
)  # fmt: skip

_CLAIMED = {
    "q1": {"messages": [{"role": "user", "content": "Hi from storage"}]},
    "q2": {"messages": [{"role": "user", "content": "Ho from storage"}]},
    "r1": {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": "Ho"}}]},
    "wrong": {"its": "size is another"},
    "absent": {},
}
_FALSE: dict[str, dict[str, Any]] = {"wrong": {"bytes": 1}}
_claims = st.builds(
    lambda i, blob, part, time: claiming(
        i, blob, _CLAIMED[blob], part=part, time=time, bodyRef=a_claim(blob, _CLAIMED[blob], **_FALSE.get(blob, {}))
    ),
    _ids, st.sampled_from([*_CLAIMED]), st.sampled_from(["request", "response"]), _times,
)  # fmt: skip
_bodies = st.one_of(
    st.builds(
        lambda i, t, x: events.a_request(i, time=t, body={"messages": [{"role": "user", "content": x}]}),
        _ids, _times, _texts,
    ),
    st.builds(lambda i, url: events.a_request(i, url=url), _ids, _urls),
    st.builds(
        lambda i, s, n, x: events.a_response(
            i,
            status=s,
            body={
                "object": "chat.completion",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": x}}],
                "usage": {"prompt_tokens": n, "completion_tokens": 1},
            },
        ),
        _ids, _statuses, _counts, _texts,
    ),
    st.builds(
        lambda i, x: events.a_response(
            i, body={"object": "chat.completion", "choices": [{"index": 0, "message": {"content": x}}]}
        ),
        _ids, _texts,
    ),
    st.builds(other_events.a_toolkit_record, _ids),
    st.builds(other_events.an_azureai_record),
    st.builds(lambda i: events.a_request(i, time=None), _ids),
    st.builds(
        lambda i, t, key, n: events.a_response(
            i,
            time=t,
            body={
                "object": "thread.run",
                "id": key,
                "usage": {"prompt_tokens": n, "completion_tokens": 1, "total_tokens": n},
            },
        ),
        _ids, _times, st.sampled_from(["run_1", "run_2"]), _counts,
    ),
    st.builds(lambda i, s: events.a_response(i, part="error", status=s, lastError={"reason": "Q"}), _ids, _statuses),
    st.builds(events.an_enterprise_request, _message_ids),
    st.builds(lambda i, n: events.an_enterprise_response(i, prompt_tokens=n), _message_ids, _counts),
    st.builds(lambda i, n: events.a_usage_record(i, totalTokens=n), _record_ids, _counts),
    st.builds(
        lambda i, n, service, served: events.a_response(
            i,
            body={"id": f"chatcmpl-{n}", "choices": [{"finish_reason": served}]},
            headers={"apim-request-id": service, "x-ms-deployment-name": served, "x-ms-spillover-error": "429"},
        ),
        _ids, st.sampled_from("12"), _service_ids, st.sampled_from(["chat", "paygo", "a new word"]),
    ),
    st.builds(
        lambda i, name: events.a_request(i, url="/x", operationId=name, deployment=name),
        _ids, st.sampled_from(["chat", "paygo", "SendMessage"]),
    ),
    st.builds(lambda records: azure_monitor.an_envelope(*records), st.lists(_records, min_size=1, max_size=3)),
    _parts,
    _claims,
    st.just(events.a_metric()),
    st.sampled_from([events.poison(), b"", b"{}", b"[]", b"null", b"\xff", b'{"schema":"promptledger/1"}']),
)  # fmt: skip


_pieces = st.one_of(
    st.builds(
        lambda size, asked, place: azure_monitor.an_envelope(
            (rows := azure_monitor.model_rows("call-1", asked=asked, answered=_ANSWERED, size=size))[place % len(rows)]
        ),
        st.sampled_from([12, 30, 40, 99]), st.sampled_from([_ASKED, _ASKED.replace("Hi", "Ho")]), st.integers(0, 9),
    ),
    st.builds(
        lambda number, side, text: azure_monitor.an_envelope(
            azure_monitor.a_model_log("call-1", sequenceNumber=number, **{side: text})
        ),
        st.integers(0, 4), st.sampled_from(["requestMessages", "responseMessages"]),
        st.sampled_from(["[", "]", "[]", "{}", '[{"role":"user","content":"Hi"}', ',{"role":"user"}', _ASKED]),
    ),
    st.builds(
        lambda text, place: azure_monitor.in_parts("call-1", {"input": text}, 2)[place],
        st.sampled_from(["Hi, and then some more", "Hi, and then some mire", "Ho, and then some more"]),
        st.integers(0, 1),
    ),
)  # fmt: skip
"""Of one call, many of them different ones that claim one place."""

_joining = st.one_of(
    st.builds(
        lambda i, n, service: events.a_response(i, body={"id": f"chatcmpl-{n}"}, headers={"apim-request-id": service}),
        _ids, st.sampled_from("12"), _service_ids,
    ),
    st.builds(events.a_usage_record, _record_ids),
    st.builds(lambda records: azure_monitor.an_envelope(*records), st.lists(_records, min_size=1, max_size=3)),
    _parts,
    _claims,
)  # fmt: skip

_vendor_calls = st.sampled_from(list(vendor_calls.CALLS.values()))
_of_vendors = st.one_of(
    st.builds(
        lambda call, i, end, place: vendor_calls.native_pair(call, i, end)[place],
        _vendor_calls, _ids, st.one_of(st.none(), st.integers(0, 900)), st.integers(0, 1),
    ),
    st.builds(
        lambda call, i, cuts, place: (parts := vendor_calls.response_in_parts(call, i, cuts))[place % len(parts)],
        _vendor_calls, _ids, st.sampled_from([[7, 300], [150], [151, 152]]), st.integers(0, 2),
    ),
    st.builds(vendor_calls.in_gateway_log, _vendor_calls, _ids, st.one_of(st.none(), st.integers(0, 900))),
)  # fmt: skip


@st.composite
def histories(
    draw: st.DrawFn, one_body: st.SearchStrategy[bytes] = _bodies
) -> tuple[list[Delivery], list[list[list[Delivery]]]]:
    """Return events at their positions, and two ways in which they may be delivered, in batches."""
    bodies = draw(st.lists(one_body, min_size=1, max_size=12))
    placed = [
        Delivery(Position("gateway", draw(st.sampled_from("01")), sequence, draw(_enqueued)), body)
        for sequence, body in enumerate(bodies)
    ]
    return placed, [draw(_ways(placed)), draw(_ways(placed))]


@st.composite
def _ways(draw: st.DrawFn, placed: list[Delivery]) -> list[list[Delivery]]:
    repeated = placed + draw(st.lists(st.sampled_from(placed), max_size=6))
    shuffled = draw(st.permutations(repeated))
    batches: list[list[Delivery]] = []
    for delivery in shuffled:
        fits = batches and batches[-1][0].position.partition == delivery.position.partition
        if fits and draw(st.booleans()):
            batches[-1].append(delivery)
        else:
            batches.append([delivery])
    return batches


@settings(max_examples=50, deadline=None)
@given(histories())
def test_any_order_any_batches_and_any_repeats_give_the_same_rows_and_totals(
    history: tuple[list[Delivery], list[list[list[Delivery]]]],
) -> None:
    _, ways = history

    results = [_replayed(way) for way in ways]

    assert results[0] == results[1]


@settings(max_examples=25, deadline=None)
@given(histories(_of_vendors))
def test_any_order_cuts_and_repeats_of_vendors_streams_give_the_same_rows_and_totals(
    history: tuple[list[Delivery], list[list[list[Delivery]]]],
) -> None:
    _, ways = history

    results = [_replayed(way) for way in ways]

    assert results[0] == results[1]


@settings(max_examples=30, deadline=None)
@given(histories(_joining))
def test_any_order_in_which_sources_and_pieces_join_gives_the_same_rows_and_totals(
    history: tuple[list[Delivery], list[list[list[Delivery]]]],
) -> None:
    _, ways = history

    results = [_replayed(way) for way in ways]

    assert results[0] == results[1]


@settings(max_examples=30, deadline=None)
@given(histories(_pieces))
def test_different_pieces_that_claim_one_place_give_the_same_rows_and_totals_in_any_order(
    history: tuple[list[Delivery], list[list[list[Delivery]]]],
) -> None:
    _, ways = history

    results = [_replayed(way) for way in ways]

    assert results[0] == results[1]


@settings(max_examples=30, deadline=None)
@given(histories(st.one_of(_joining, _claims)), st.integers(0, 12))
def test_bodies_that_come_late_to_blob_storage_give_the_same_rows_and_totals(
    history: tuple[list[Delivery], list[list[list[Delivery]]]], late: int
) -> None:
    # Those that are found wanting are left out: that they once were stays noted.
    _, ways = history
    without_flaws = [[one for one in batch if b'"wrong"' not in one.body] for batch in ways[0]]
    way = [batch for batch in without_flaws if batch]

    results = [_replayed(way), _replayed(way, late=late)]

    assert results[0] == results[1]


@settings(max_examples=50, deadline=None)
@given(histories())
def test_every_event_received_is_in_exactly_one_class(
    history: tuple[list[Delivery], list[list[list[Delivery]]]],
) -> None:
    _, (way, _) = history
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        outcomes = [_ingest(engine, batch) for batch in way]
        total = _balance(engine)
        engine.dispose()

    for outcome in outcomes:
        assert outcome.unaccounted == 0
    assert sum(item.received for item in total) == sum(len(batch) for batch in way)
    for item in total:
        assert item.unaccounted == 0
        assert min(item.classes.values()) >= 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)), min_size=1, max_size=4))
def test_any_bytes_are_accounted_for_and_never_an_exception(bodies: list[bytes]) -> None:
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        outcome = _ingest(engine, events.deliveries(*bodies))
        engine.dispose()

    assert outcome.received == len(bodies)
    assert outcome.unaccounted == 0


def _ingest(engine: sa.Engine, batch: Sequence[Delivery], *, is_early: bool = False) -> IngestOutcome:
    claims = _claim_check(is_early=is_early)
    return ingest(batch, ledger=SqlLedger(engine), content=SqlContentStore(engine), claims=claims)


def _claim_check(*, is_early: bool = False) -> ClaimCheck:
    """Return one on Blob storage that holds the claimed bodies, or nothing as yet."""
    bodies = MemoryBodies()
    for blob, body in _CLAIMED.items():
        if blob != "absent" and not is_early:
            bodies.upload(blob, body)
    return ClaimCheck(bodies, largest=1024 * 1024)


def _fetch_claimed_bodies(engine: sa.Engine) -> None:
    fetch_claimed_bodies(
        queue=SqlClaimQueue(engine),
        ledger=SqlLedger(engine),
        content=SqlContentStore(engine),
        claims=_claim_check(),
        patience=timedelta(days=7),
        now=lambda: datetime.now(UTC) + timedelta(hours=2),
    )


def _balance(engine: sa.Engine) -> list[PartitionBalance]:
    return AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine)).balance()


def _replayed(way: list[list[Delivery]], late: int = 0) -> dict[str, list[tuple[object, ...]]]:
    """Return what a database of its own holds after the events came in this way."""
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        rows = replayed_on(engine, way, late)
        engine.dispose()
    return rows


def replayed_on(engine: sa.Engine, way: list[list[Delivery]], late: int = 0) -> dict[str, list[tuple[object, ...]]]:
    """Return all that may not depend on how the events came: facts, content, rollups, classes.

    The claimed bodies are in Blob storage from the batch `late` on, and the timer looks for them at the end.
    """
    for number, batch in enumerate(way):
        _ingest(engine, batch, is_early=number < late)
    if late:
        _fetch_claimed_bodies(engine)
    rebuild_usage_rollups(SqlUsageRollups(engine), most_calls=2)
    with engine.connect() as connection:
        rows = {
            table.name: sorted(connection.execute(sa.select(*_columns(table))).all(), key=repr)
            for table in (
                tables.interaction,
                tables.alias,
                tables.claim,
                tables.content,
                tables.usage_hour,
                tables.usage_day,
                tables.usage_month,
            )
        }
        rows["quarantine"] = sorted(connection.execute(sa.select(tables.quarantine.c.id)).all())
    return {name: [tuple(row) for row in group] for name, group in rows.items()}


def _columns(table: sa.Table) -> list[sa.Column[object]]:
    # The revision counts writes, and how many there are is the one thing that batches do decide; our clock is our own.
    return [column for column in table.columns if column.name not in ("revision", "noted_at", "due_at")]


def test_classes_do_not_depend_on_the_order_of_a_pair() -> None:
    pair = events.deliveries(events.a_request(), events.a_response())
    for order in itertools.permutations(pair):
        with memory_folder() as folder:
            engine = new_sqlite(Path(folder))
            for delivery in order:
                _ingest(engine, [delivery])
            (item,) = _balance(engine)
            engine.dispose()
        assert (item.received, item.stored, item.pending) == (2, 2, 0)
