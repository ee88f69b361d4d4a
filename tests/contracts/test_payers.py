"""What every store of assignments does, and how charges follow from them."""

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import NO_TIME
from shared.errors import InvalidFileError
from shared.pricing.payers import Assignment, Matched
from shared.questions import InteractionFilter, UsageQuery
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.usage_ports import UsageRollups
from tests.builders.payers import an_assignment
from tests.contracts.test_usage_rollups import NINE, TEN, a_call, store

AT = "2026-11-27T00:00:00.000Z"
MARCH_3 = "2026-03-03T00:00:00.000Z"
MARCH_4 = "2026-03-04T09:00:00.000Z"


@pytest.fixture
def payers(engine: Engine) -> SqlAssignments:
    return SqlAssignments(engine)


def change(payers: SqlAssignments, *assignments: Assignment) -> int:
    return payers.change(assignments, actor="ada", at=AT)


def paid(engine: Engine) -> dict[str, tuple[Any, ...]]:
    c = tables.charge.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(c.interaction_id, c.team, c.cost_centre, c.matched))
        return {row[0]: tuple(row[1:]) for row in rows}


def marked(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(tables.dirty_hour.c.hour)))


def test_a_charge_names_who_paid_at_the_time_of_the_call(
    engine: Engine, ledger: Ledger, payers: SqlAssignments, rollups: UsageRollups
) -> None:
    change(
        payers,
        an_assignment(),
        an_assignment(team="blue", valid_from=MARCH_3),
        an_assignment("sub-2", "", valid_to=MARCH_3),
    )
    store(ledger, a_call(1, NINE, subscription_id="sub-1"), a_call(2, MARCH_4, subscription_id="sub-1"))
    store(ledger, a_call(3, NINE, subscription_id="sub-2"), a_call(4, MARCH_4, subscription_id="sub-2"))
    store(ledger, a_call(5, NINE, subscription_id="other"), a_call(6, NINE))

    rebuild_usage_rollups(rollups)

    assert paid(engine) == {
        "call-1": ("red", "4711", "subscription"),
        "call-2": ("blue", "4711", "subscription"),
        "call-3": (None, "4711", "subscription"),
        **dict.fromkeys(("call-4", "call-5", "call-6"), (None, None, None)),
    }


def test_a_change_marks_the_hours_of_its_caller_since_it_holds_and_no_others(
    engine: Engine, ledger: Ledger, payers: SqlAssignments, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE, subscription_id="sub-1"), a_call(2, TEN, subscription_id="sub-2"))
    store(ledger, a_call(3, MARCH_4, subscription_id="sub-1"), a_call(4, MARCH_4, user_id="sub-1"))
    rebuild_usage_rollups(rollups)

    assert change(payers, an_assignment(valid_from=MARCH_3)) == 1
    since = marked(engine)
    rebuild_usage_rollups(rollups)
    assert change(payers, an_assignment(valid_from=MARCH_3)) == 0
    again = marked(engine)
    change(payers, an_assignment("red", matched=Matched.TAG, name="team"))

    assert (since, again, marked(engine)) == ({MARCH_4}, set(), {NINE, TEN, MARCH_4})
    assert {name: row[0] for name, row in paid(engine).items() if row[0]} == {"call-3": "red"}


def test_a_change_marks_no_hour_of_a_closed_month(
    engine: Engine, ledger: Ledger, payers: SqlAssignments, rollups: UsageRollups
) -> None:
    april = "2026-04-01T00:00:00.000Z"
    store(ledger, a_call(1, MARCH_4, subscription_id="sub-1"), a_call(2, april, subscription_id="sub-1"))
    rebuild_usage_rollups(rollups)
    closed = {"month": "2026-03-01T00:00:00.000Z", "closed_at": AT, "actor": "ada", "digest": "", "line_count": 1}
    unknown = dict.fromkeys(("unpriced_calls", "unmetered_calls", "pending_calls"), 0)
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.closed_month).values(**closed, **unknown))

    change(payers, an_assignment())
    rebuilt = rebuild_usage_rollups(rollups)

    assert rebuilt == 1
    assert {name: row[0] for name, row in paid(engine).items()} == {"call-1": None, "call-2": "red"}


def test_an_assignment_that_is_ended_and_followed_moves_the_calls_since(
    engine: Engine, ledger: Ledger, payers: SqlAssignments, rollups: UsageRollups
) -> None:
    change(payers, an_assignment())
    store(ledger, a_call(1, NINE, subscription_id="sub-1"), a_call(2, MARCH_4, subscription_id="sub-1"))
    rebuild_usage_rollups(rollups)

    assert change(payers, an_assignment(valid_to=MARCH_3), an_assignment(team="blue", valid_from=MARCH_3)) == 2
    rebuilt = rebuild_usage_rollups(rollups)

    assert rebuilt == 1
    assert {name: row[0] for name, row in paid(engine).items()} == {"call-1": "red", "call-2": "blue"}


@pytest.mark.parametrize("after", [an_assignment(team="blue"), an_assignment(cost_centre="1"), an_assignment()])
def test_an_assignment_is_never_edited_and_where_one_would_be_nothing_is_changed(
    payers: SqlAssignments, after: Assignment
) -> None:
    change(payers, an_assignment(valid_to=MARCH_3))

    with pytest.raises(InvalidFileError, match="says something else"):
        change(payers, an_assignment("sub-2"), after)

    assert [one.value for one in payers.assignments(after=None, limit=9)] == ["sub-1"]


def test_every_change_is_recorded_with_who_made_it_and_what_was_before(engine: Engine, payers: SqlAssignments) -> None:
    change(payers, an_assignment())
    payers.change([an_assignment(valid_to=MARCH_3)], actor="bob", at=MARCH_3)

    table = tables.money_change.c
    with engine.connect() as connection:
        query = sa.select(table.actor, table.changed_at, table.subject, table.old_value, table.new_value)
        rows = [tuple(row) for row in connection.execute(query.order_by(table.id))]
    added = {"matched": "subscription", "name": "", "value": "sub-1", "team": "red", "cost_centre": "4711"}
    first, then = (
        added | {"valid_from": NO_TIME, "valid_to": None},
        added | {"valid_from": NO_TIME, "valid_to": MARCH_3},
    )
    assert [(*row[:3], row[3] and orjson.loads(row[3]), orjson.loads(row[4])) for row in rows] == [
        ("ada", AT, "assignment", None, first),
        ("bob", MARCH_3, "assignment", first, then),
    ]


def test_assignments_are_listed_in_pages_in_the_order_of_their_keys(payers: SqlAssignments) -> None:
    all_of_them = [
        an_assignment("app", matched=Matched.APPLICATION),
        an_assignment("sub-1"),
        an_assignment("sub-1", valid_from=MARCH_3),
        an_assignment("sub-2"),
        an_assignment("red", matched=Matched.TAG, name="team"),
    ]
    change(payers, *reversed(all_of_them))

    listed: list[Assignment] = []
    while page := payers.assignments(after=_key(listed[-1]) if listed else None, limit=2):
        listed += page

    assert listed == all_of_them


def _key(one: Assignment) -> tuple[str, ...]:
    return (one.matched.value, one.name, one.value, one.valid_from)


def test_teams_and_cost_centres_are_dimensions_of_usage_and_filters_of_interactions(
    engine: Engine, ledger: Ledger, payers: SqlAssignments, rollups: UsageRollups
) -> None:
    change(payers, an_assignment(), an_assignment("sub-2", "blue"), an_assignment("sub-3", "", cost_centre="1"))
    store(ledger, *(a_call(number, NINE, subscription_id=f"sub-{number}") for number in range(1, 5)))
    store(ledger, a_call(5, TEN, subscription_id="sub-1", model="other"))
    rebuild_usage_rollups(rollups)
    audit = SqlAuditStore(engine)

    def ids(**narrow: Any) -> list[str]:
        return [row["id"] for row in audit.interactions(InteractionFilter(**narrow), after=None, limit=9)]

    assert ids(team="red") == ["call-5", "call-1"]
    assert ids(team="red", model="gpt-4o") == ids(team="red", occurred_before=TEN) == ["call-1"]
    assert ids(cost_centre="4711") == ["call-5", "call-2", "call-1"]
    assert ids(team="red", cost_centre="1") == ids(team="nobody") == []
    rows = audit.usage(UsageQuery(dimensions=("team", "cost_centre")), after=None, limit=9)
    assert {(row["team"], row["cost_centre"]): row["requests"] for row in rows} == {
        ("", ""): 1,
        ("", "1"): 1,
        ("blue", "4711"): 1,
        ("red", "4711"): 2,
    }
