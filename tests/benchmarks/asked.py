"""What `make bench` asks of each GET route: add a route, add its questions here.

A question is the query behind the path. Its words in braces are values of the ledger: see `Known`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import utc_of
from shared.stores.sql import tables

__all__ = ["ASKED", "NOT_ASKED", "Known", "Question", "known", "questions_of"]

_RANGED: Final = "from={first}&to={last}"
_SHARES: Final = ("common", "rare", "absent")
_BY_PERSON: Final = {f"of a {share} user": f"?{_RANGED}&userId={{{share}_user}}" for share in _SHARES}
_LIST: Final = {"": "", "100 at a time": "?limit=100"}

NOT_ASKED: Final = {
    "/api/dashboard/ledger.css": "a file",
    "/api/dashboard/icon.svg": "a file",
    "/api/dashboard/access/ask": "an empty form",
    "/api/dashboard/pipeline/discard": "an empty form",
}
"""Path -> why it is not asked."""

ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "/api/v1/access-log": {
        **_LIST,
        "of a range": f"?{_RANGED}",
        "of an absent reader": "?reader=nobody",
        "of an interaction": "?interactionId={call}",
    },
    "/api/v1/alerts": {**_LIST, "of a range": f"?{_RANGED}", "of an absent budget": "?budgetId=nothing"},
    "/api/v1/balance": {"": ""},
    "/api/v1/budgets": _LIST,
    "/api/v1/budgets/decision": {
        f"of a {share}": f"?subscriptionId={{{share}_team}}&userId={{{share}_user}}&model={{model}}"
        for share in _SHARES
    },
    "/api/v1/budgets/{id}": {"absent": "nothing"},
    "/api/v1/completeness": {**_LIST, "of a range": f"?{_RANGED}", "of an absent hub": "?hub=monitor&kind=gap"},
    "/api/v1/cost-centres": _LIST,
    "/api/v1/costs/export": {"of a month": "?month={month}", "of an absent team": "?month={month}&team=nobody"},
    "/api/v1/costs/months": _LIST,
    "/api/v1/costs/months/{month}": {"not closed": "{month}"},
    "/api/v1/costs/statement": {"of a month": "?month={month}", "of an absent team": "?month={month}&team=nobody"},
    "/api/v1/deployments": {**_LIST, "of an absent name": "?name=nothing"},
    "/api/v1/exports": _LIST,
    "/api/v1/exports/{id}": {"absent": "nothing"},
    "/api/v1/exports/{id}/manifest": {"absent": "nothing/manifest"},
    "/api/v1/exports/{id}/parts/{n}": {"absent": "nothing/parts/1"},
    "/api/v1/grants": _LIST,
    "/api/v1/interactions": {
        **_LIST,
        "of a range": f"?{_RANGED}",
        **_BY_PERSON,
        "with a rare word": "?q=zebra",
        "with an absent word": "?q=unicorn",
        "with a rare word, of a common user": f"?{_RANGED}&q=zebra&userId={{common_user}}",
    },
    "/api/v1/interactions/{id}": {"present": "{call}", "absent": "nothing"},
    "/api/v1/interactions/{id}/content": {"present": "{call}/content", "absent": "nothing/content"},
    "/api/v1/me": {"": ""},
    "/api/v1/me/usage": {"": "", "by month and model": f"?{_RANGED}&groupBy=model&interval=month"},
    "/api/v1/prices": {**_LIST, "of an absent model": "?model=nothing"},
    "/api/v1/prices/restatements": _LIST,
    "/api/v1/prices/versions": _LIST,
    "/api/v1/prompts": {
        **_LIST,
        "of a range": f"?{_RANGED}",
        **{f"of a {share} address": f"?{_RANGED}&callerIp={{{share}_address}}" for share in _SHARES},
    },
    "/api/v1/quarantine": _LIST,
    "/api/v1/quarantine/{id}/body": {"present": "{held}/body", "absent": "999999999/body"},
    "/api/v1/reaches": _LIST,
    "/api/v1/reservations": _LIST,
    "/api/v1/reservations/hours": {"of a range": f"?{_RANGED}"},
    **{
        f"/api/v1/{name}": {
            "in all": f"?{_RANGED}",
            "by model": f"?{_RANGED}&groupBy=model",
            "by user": f"?{_RANGED}&groupBy=userId",
            "by address and model": f"?{_RANGED}&groupBy=callerIp,model",
            "by day and model": f"?{_RANGED}&groupBy=model&interval=day",
            **_BY_PERSON,
        }
        for name in ("usage", "statistics")
    },
    "/api/v1/top": {
        **{f"by {by}": f"?{_RANGED}&by={by}" for by in ("userId", "callerIp", "subscriptionId", "model")},
        "by userId, tokens": f"?{_RANGED}&by=userId&measure=tokens",
        "by userId, errors of a model": f"?{_RANGED}&by=userId&measure=errors&model={{model}}",
        **{f"by model, of a {share} user": f"?{_RANGED}&by=model&userId={{{share}_user}}" for share in _SHARES},
    },
    "/api/dashboard": {
        "a day": "?from={day}&to={next_day}",
        "a week": "?from={week}&to={day}",
        "a week, by user": "?from={week}&to={day}&by=userId",
    },
    "/api/dashboard/access": {"": ""},
    "/api/dashboard/call": {"present": "?id={call}"},
    "/api/dashboard/explore": {"a week": "?from={week}&to={day}", "one model": "?from={week}&to={day}&model={model}"},
    "/api/dashboard/help": {"": ""},
    "/api/dashboard/money": {"a month": "?month={month}"},
    "/api/dashboard/money.csv": {"a month": "?month={month}"},
    "/api/dashboard/people": {
        "the largest of a week": "?from={week}&to={day}",
        **{f"a {share} user": f"?from={{week}}&to={{day}}&userId={{{share}_user}}" for share in _SHARES},
    },
    "/api/dashboard/pipeline": {"": ""},
    "/api/dashboard/usage.csv": {"a week": "?from={week}&to={day}"},
}
"""Path of a route -> what is asked, by name. Where the path has a word in braces, the answer may be 404."""


class Question(NamedTuple):
    """A question, and whether what it asks for may not be there."""

    name: str
    url: str
    may_lack: bool


class Known(NamedTuple):
    """Values of a ledger: the commonest, the rarest, and some that it has not."""

    first: str
    last: str
    month: str
    week: str
    """Where the week before `day` begins."""
    day: str
    next_day: str
    call: str
    held: str
    model: str
    common_user: str
    rare_user: str
    absent_user: str
    common_address: str
    rare_address: str
    absent_address: str
    common_team: str
    rare_team: str
    absent_team: str


def questions_of(path: str, values: Known) -> Iterator[Question]:
    """Return what is asked of a route."""
    base, _, placed = path.partition("/{")
    for name, query in ASKED[path].items():
        asked = query.format(**values._asdict())
        url = f"{base}/{asked}" if placed else f"{base}{asked}"
        yield Question(f"{path} {name}".rstrip(), url, may_lack=bool(placed))


def known(engine: Engine) -> Known:
    """Return what questions to a ledger are about; its middle is the time that pages show."""
    facts = tables.interaction.c
    run = sa.select(sa.func.min(facts.occurred_at), sa.func.max(facts.occurred_at))
    with engine.connect() as connection:
        first, last = connection.execute(run).one()
        middle = connection.exec_driver_sql(
            "select datetime((julianday(?) + julianday(?)) / 2)", (first, last)
        ).scalar_one()
        newest = sa.select(facts.id).where(facts.occurred_at >= middle.replace(" ", "T")).order_by(facts.occurred_at)
        call = str(connection.scalar(newest.limit(1)))
        model = str(connection.scalar(sa.select(facts.model).where(facts.model.is_not(None)).limit(1)))
        held = connection.scalar(sa.select(tables.quarantine.c.id).limit(1))
        ends = {}
        for name, column in (("user", facts.user_id), ("address", facts.caller_ip), ("team", facts.subscription_id)):
            counted = sa.select(column).where(column.is_not(None)).group_by(column)
            ends[f"common_{name}"] = str(connection.scalar(counted.order_by(sa.func.count().desc()).limit(1)))
            ends[f"rare_{name}"] = str(connection.scalar(counted.order_by(sa.func.count()).limit(1)))
    day = datetime.fromisoformat(f"{middle[:10]}T00:00:00+00:00")
    return Known(
        first=first, last=last, month=middle[:7], call=call, model=model, held=str(held),
        week=utc_of(day - timedelta(days=7)), day=utc_of(day), next_day=utc_of(day + timedelta(days=1)),
        absent_user="nobody", absent_address="192.0.2.1", absent_team="nobody", **ends,
    )  # fmt: skip
