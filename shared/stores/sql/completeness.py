"""Completeness in SQL: what came in an hour, what calls of an hour lack, and what was found."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.domain.findings import Finding, Gap, Standing, Unpriced
from shared.domain.interaction import State
from shared.domain.record_types import Observer
from shared.pricing.charge import UNMAPPED, Confidence
from shared.pricing.payers import AMBIGUOUS
from shared.sources import source_lists, source_names
from shared.stores.ports import Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.charges import charged
from shared.stores.sql.conditions import BYPASSES, is_within
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease

__all__ = [
    "SqlCompleteness",
    "ambiguous_statement",
    "calls_statement",
    "events_statement",
    "gaps_statement",
    "outcomes_statement",
    "received_statement",
    "standing_statement",
    "unpriced_statement",
    "waiting_statement",
    "words_statement",
]

_LEASE: Final = "completeness"
_LOGS_ONLY: Final = source_lists(Observer.GATEWAY, Observer.SERVICE)


class SqlCompleteness:
    """`shared.stores.ports.CompletenessStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def events_in(self, start: str, end: str | None) -> list[tuple[str, str, int]]:
        """Return numbers of deliveries; see the port."""
        with reading(self._engine) as connection:
            statements = (events_statement(start, end), waiting_statement(start, end))
            return [(hub, outcome, number) for one in statements for hub, outcome, number in connection.execute(one)]

    def gaps_in(self, start: str, end: str | None, *, limit: int) -> list[Gap]:
        """Return gaps; see the port."""
        with reading(self._engine) as connection:
            return [Gap(*row) for row in connection.execute(gaps_statement(start, end, limit=limit))]

    def calls_in(self, start: str, end: str | None) -> Mapping[str, int]:
        """Return numbers of interactions; see the port."""
        with reading(self._engine) as connection:
            return dict(connection.execute(calls_statement(start, end)).mappings().one())

    def words_in(self, start: str, end: str | None, *, limit: int) -> list[tuple[str, int]]:
        """Return traces of unknown words; see the port."""
        with reading(self._engine) as connection:
            return [(row[0], row[1]) for row in connection.execute(words_statement(start, end, limit=limit))]

    def unpriced_in(self, start: str, end: str | None, *, limit: int) -> list[Unpriced]:
        """Return calls whose charge lacks something; see the port."""
        with reading(self._engine) as connection:
            found = connection.execute(unpriced_statement(start, end, limit=limit))
            return [
                Unpriced(row.reason == UNMAPPED, row.confidence != Confidence.NO_PRICE.value, *row[2:]) for row in found
            ]

    def ambiguous_in(self, start: str, end: str | None, *, limit: int) -> list[tuple[str, int]]:
        """Return tags that name several payers; see the port."""
        with reading(self._engine) as connection:
            return [(row[0], row[1]) for row in connection.execute(ambiguous_statement(start, end, limit=limit))]

    def recount(self, hub: str, partition: str) -> bool:
        """Count the deliveries of a partition; see the port."""
        with reading(self._engine) as connection:
            before = connection.execute(received_statement(hub, partition)).one_or_none()
            counted = {row[0]: row[1] for row in connection.execute(outcomes_statement(hub, partition))}
        with writing(self._engine) as connection:
            # Nothing came meanwhile: whatever writes deliveries counts what was received in the same transaction.
            if connection.execute(received_statement(hub, partition)).one_or_none() != before:
                return False
            table = tables.delivery_count
            kept = connection.execute(sa.select(table).where(table.c.hub == hub, table.c.partition_id == partition))
            known = [dict(row) for row in kept.mappings()]
            writes = bulk.Writes(connection)
            writes.delete(table, known)
            writes.insert(table, [(hub, partition, outcome, number) for outcome, number in counted.items()])
            writes.run()
            return True

    def unresolved_hours(self, limit: int) -> list[str]:
        """Return hours; see the port."""
        table = tables.finding.c
        hours = sa.select(table.hour).distinct().where(table.resolved_at.is_(None))
        with reading(self._engine) as connection:
            return list(connection.scalars(hours.order_by(table.hour.desc()).limit(limit)))

    def record(self, hours: Collection[str], findings: Collection[Finding], *, at: str) -> None:
        """Keep what was found; see the port."""
        with writing(self._engine) as connection:
            take_lease(connection, _LEASE)
            known = _known(connection, hours)
            rows = {one.id: _row(one, known.get(one.id), at) for one in findings}
            for name, row in known.items():
                if name not in rows:
                    rows[name] = row if row["resolved_at"] is not None else row | {"resolved_at": at}
            changed = {name: row for name, row in rows.items() if row != known.get(name)}
            writes = bulk.Writes(connection)
            writes.delete(tables.finding, [known[name] for name in changed if name in known])
            writes.insert(tables.finding, bulk.values_of(tables.finding, changed.values()))
            writes.run()

    def unresolved(self) -> dict[str, int]:
        """Return numbers of findings; see the port."""
        table = tables.finding.c
        held = sa.select(table.kind, sa.func.count()).where(table.resolved_at.is_(None)).group_by(table.kind)
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(held)}

    def standing(self) -> Standing:
        """Return how the ledger stands; see the port."""
        table = tables.hub_partition.c
        with reading(self._engine) as connection:
            pending, oldest, quarantined = connection.execute(standing_statement()).one()
            newest = connection.execute(sa.select(table.hub, table.partition_id, table.last_enqueued_at))
            return Standing(pending, oldest, quarantined, [tuple(row) for row in newest])


def received_statement(hub: str, partition: str) -> sa.Select[Any]:
    """Return the statement of what was received of a partition, if anything was."""
    table = tables.hub_partition.c
    return sa.select(table.received, table.redelivered).where(table.hub == hub, table.partition_id == partition)


def outcomes_statement(hub: str, partition: str) -> sa.Select[Any]:
    """Return the statement that counts the deliveries of a partition by outcome."""
    table = tables.delivery.c
    counted = sa.select(table.outcome, sa.func.count()).where(table.hub == hub, table.partition_id == partition)
    return counted.group_by(table.outcome)


def events_statement(start: str, end: str | None) -> sa.Select[Any]:
    """Return the statement that counts deliveries by hub and outcome."""
    table = tables.delivery.c
    counted = sa.select(table.hub, table.outcome, sa.func.count())
    return counted.where(is_within(table.enqueued_at, start, end)).group_by(table.hub, table.outcome)


def waiting_statement(start: str, end: str | None) -> sa.Select[Any]:
    """Return the statement that counts deliveries that wait, by hub."""
    table = tables.waiting.c
    positions = sa.select(table.hub, table.partition_id, table.sequence, table.enqueued_at).distinct()
    waits = positions.where(is_within(table.enqueued_at, start, end)).subquery("held").c
    return sa.select(waits.hub, sa.literal("waiting", sa.Unicode(16)), sa.func.count()).group_by(waits.hub)


def gaps_statement(start: str, end: str | None, *, limit: int) -> sa.Select[Any]:
    """Return the statement of `CompletenessStore.gaps_in`: deliveries without the one before them."""
    one, other = tables.delivery.alias("one").c, tables.delivery.alias("other").c
    beside = (other.hub == one.hub, other.partition_id == one.partition_id)
    # Negative numbers stand in for missing ones and follow one another in no order.
    before = sa.select(sa.func.max(other.sequence)).where(*beside, other.sequence < one.sequence, other.sequence >= 0)
    follows = sa.exists(sa.literal(1)).where(*beside, other.sequence == one.sequence - 1)
    gaps = (
        sa.select(one.hub, one.partition_id, before.scalar_subquery().label("after_sequence"), one.sequence)
        .where(is_within(one.enqueued_at, start, end), one.sequence > 0, sa.not_(follows))
        .subquery("gap")
        .c
    )
    columns = (gaps.hub, gaps.partition_id, gaps.after_sequence, gaps.sequence)
    # The very first of a partition has none before it: nobody knows where the stream began.
    return sa.select(*columns).where(gaps.after_sequence.is_not(None)).order_by(*columns).limit(limit)


def calls_statement(start: str, end: str | None) -> sa.Select[Any]:
    """Return the statement of `CompletenessStore.calls_in`: one row of numbers."""
    table = tables.interaction.c
    with_request, with_response = table.has_request == sa.true(), table.has_response == sa.true()
    waits = table.state.in_((State.PENDING.value, State.INCOMPLETE.value))
    logged = sa.or_(*(table.sources.contains(f'"{name}"', autoescape=True) for name in source_names(Observer.GATEWAY)))
    by_event = table.sources.not_in((*BYPASSES, *_LOGS_ONLY))
    numbers = {
        "no_answer": sa.and_(waits, with_request, table.has_response.is_(None)),
        "no_request": sa.and_(waits, with_response, table.has_request.is_(None)),
        "pieces_missing": sa.and_(waits, with_request, with_response),
        "log_without_event": table.sources.in_(_LOGS_ONLY),
        "event_without_log": sa.and_(by_event, sa.not_(logged)),
        "told_by_both": sa.and_(by_event, logged),
        "bypass": table.sources.in_(BYPASSES),
        "callers_differ": table.callers_differ == sa.true(),
    }
    sums = [sa.func.coalesce(sa.func.sum(sa.case((one, 1), else_=0)), 0).label(name) for name, one in numbers.items()]
    return sa.select(*sums).where(is_within(table.occurred_at, start, end))


def words_statement(start: str, end: str | None, *, limit: int) -> sa.Select[Any]:
    """Return the statement of `CompletenessStore.words_in`."""
    table = tables.interaction.c
    number = sa.func.count().label("number")
    traces = sa.select(table.unknown_words, number).where(
        is_within(table.occurred_at, start, end), table.unknown_words.is_not(None)
    )
    return traces.group_by(table.unknown_words).order_by(number.desc(), table.unknown_words).limit(limit)


def unpriced_statement(start: str, end: str | None, *, limit: int) -> sa.Select[Any]:
    """Return the statement of `CompletenessStore.unpriced_in`."""
    charge, call, number = tables.charge.c, tables.interaction.c, sa.func.count().label("number")
    groups = (charge.reason, charge.confidence, call.deployment, call.model)
    lacks = sa.or_(charge.confidence == Confidence.NO_PRICE.value, charge.reason == UNMAPPED)
    counted = charged(*groups, number).where(is_within(charge.occurred_at, start, end), lacks)
    return counted.group_by(*groups).order_by(number.desc(), *groups).limit(limit)


def ambiguous_statement(start: str, end: str | None, *, limit: int) -> sa.Select[Any]:
    """Return the statement of `CompletenessStore.ambiguous_in`."""
    charge, tags, number = tables.charge.c, tables.interaction.c.tags, sa.func.count().label("number")
    counted = charged(tags, number).where(is_within(charge.occurred_at, start, end), charge.matched == AMBIGUOUS)
    return counted.group_by(tags).order_by(number.desc(), tags).limit(limit)


def standing_statement() -> sa.Select[Any]:
    """Return the statement of the numbers of `CompletenessStore.standing`."""
    waits, events = tables.waiting.c, tables.quarantine.c
    pending = sa.select(sa.func.count(sa.distinct(waits.interaction_id))).scalar_subquery()
    oldest = sa.select(sa.func.min(waits.stored_at)).scalar_subquery()
    held = sa.select(sa.func.count(events.id)).where(events.discarded_at.is_(None)).scalar_subquery()
    return sa.select(pending, oldest, held)


def _known(connection: Connection, hours: Collection[str]) -> dict[str, Row]:
    table = tables.finding
    rows: dict[str, Row] = {}
    for hour in sorted(set(hours)):
        found = connection.execute(sa.select(table).where(table.c.hour == hour))
        rows |= {row["id"]: dict(row) for row in found.mappings()}
    return rows


def _row(finding: Finding, known: Row | None, at: str) -> Row:
    return {
        "id": finding.id,
        "hub": finding.hub,
        "hour": finding.hour,
        "kind": finding.kind,
        "number": finding.number,
        "detail": finding.detail,
        "found_at": at if known is None else known["found_at"],
        "resolved_at": None,
    }
